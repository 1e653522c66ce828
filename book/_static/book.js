// Boxes that scroll sideways can be reached and scrolled with the keyboard.
document.addEventListener("DOMContentLoaded", () => {
  for (const box of document.querySelectorAll(".bd-content pre, .bd-content .cell_output, .anymetal-report")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
});
