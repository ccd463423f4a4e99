// Opinions without a new page, and stars that follow their number. Without this module the forms
// do the same by themselves, and the stars are those of the moment the page was made.

/** What the page shows once the site has answered. */
const SHOWN = {
  like(form, { liked }) {
    form.querySelector("button").setAttribute("aria-pressed", liked);
    form.action = liked ? form.dataset.unlike : form.dataset.like;
    return liked ? form.dataset.textLiked : form.dataset.textUnliked;
  },
  rate(form, { stars }) {
    for (const button of form.querySelectorAll("button"))
      button.setAttribute("aria-pressed", Number(button.value) === stars);
    return form.dataset.textRated.replace("{stars}", stars);
  },
};

class Refused extends Error {}

async function send(form, submitter) {
  const body = new FormData(form, submitter);
  const headers = { Accept: "application/json" };
  const response = await fetch(form.action, { method: "POST", body, headers });
  const answer = await response.json();
  if (response.ok) return SHOWN[form.dataset.opinion](form, answer);
  if (!answer.login) throw new Refused(answer.error);
  const page = encodeURIComponent(location.pathname + location.search);
  location.assign(`${answer.login}?next=${page}`);
  return "";
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.opinion) return;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  // What went well is to be seen on the buttons, and is only read out here.
  const said = form.parentElement.querySelector("[role=status]");
  said.className = "unseen";
  said.textContent = "";
  try {
    said.textContent = await send(form, event.submitter);
  } catch (error) {
    said.className = "field__error";
    said.textContent = error instanceof Refused ? error.message : form.dataset.textFailed;
  }
  form.ariaBusy = "false";
});

document.addEventListener("live:change", (event) => {
  const stars = event.target.closest(".stars");
  if (stars) stars.dataset.stars = Math.round(Number(event.detail.value) * 2) / 2;
});
