() => {
  // A citation in an answer chooses its sentence in the side panel; the link never leaves the page.
  document.addEventListener("click", (event) => {
    const link = event.target.closest && event.target.closest('a[href*="#source-"]');
    if (!link) return;
    event.preventDefault();
    event.stopPropagation();
    document.querySelectorAll("#panel .chosen").forEach((chosen) => chosen.classList.remove("chosen"));
    const mark = document.getElementById(link.getAttribute("href").split("#")[1]);
    const panel = document.getElementById("panel");
    if (!mark || !panel) return;
    mark.classList.add("chosen");
    // Scroll the panel alone: the conversation stays where it is.
    const offset = mark.getBoundingClientRect().top - panel.getBoundingClientRect().top;
    panel.scrollTo({ top: panel.scrollTop + offset - panel.clientHeight / 3, behavior: "smooth" });
  }, true);
}
