"use strict";
// The filter of the questions. Their text stays in the page: it is read when searched for, not held a second time.
const form = document.getElementById("filter");
const words = form.elements.words;
const selects = Array.from(form.querySelectorAll("select"));
const questions = Array.from(document.getElementsByClassName("question"));

function holds(question, wanted) {
  const texts = Array.from(question.querySelectorAll("[data-find]"), (node) => node.textContent);
  const text = texts.join("\n").toLowerCase();
  return wanted.every((word) => text.includes(word));
}

function filter() {
  const chosen = selects.filter((select) => select.value);
  const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const question of questions) {
    const fits =
      chosen.every((select) => question.dataset[select.name].split("|").includes(select.value)) &&
      (!wanted.length || holds(question, wanted));
    question.classList.toggle("out", !fits);
    count += fits;
  }
  form.querySelector("output").textContent = `${count} of ${questions.length} questions`;
}

let waiting;
words.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(filter, 120);
});
form.addEventListener("change", filter);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  filter();
});
// The fields are empty only after the event.
form.addEventListener("reset", () => setTimeout(filter));
for (const link of document.querySelectorAll("[data-choose]")) {
  link.addEventListener("click", () => {
    const choice = JSON.parse(link.dataset.choose);
    words.value = "";
    for (const select of selects) select.value = choice[select.name] ?? "";
    filter();
  });
}
form.hidden = false;
filter();
