// What the page does without the server: copy, compare, jump to a photograph's place, keep the job in the address, tell
// those who do not see it what happens, and let nothing move for those who asked for that.
(() => {
  const press = (group, chosen) => {
    for (const button of group.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === chosen));
  };

  const actions = {
    // The viewer lies in a frame of this server; a changed hash moves its camera without loading it again.
    look: (button) => {
      const tab = [...document.querySelectorAll('#results button[role="tab"]')][0];
      if (tab) tab.click();
      const frame = document.querySelector("#look iframe");
      if (!frame) return;
      const address = new URL(frame.src);
      address.hash = `plain&view=${button.dataset.look}`;
      frame.contentWindow.location.replace(address);
      frame.scrollIntoView({ block: "nearest" });
    },
    compare: (button) => {
      const pair = document.getElementById("compare");
      if (!pair) return;
      pair.querySelector(".under-image").src = button.dataset.rendered;
      pair.querySelector(".over").src = button.dataset.compare;
      press(button.parentElement, button);
    },
    copy: async (button) => {
      const words = document.getElementById(button.dataset.copy).textContent;
      try {
        await navigator.clipboard.writeText(words);
      } catch {
        const field = Object.assign(document.createElement("textarea"), { value: words });
        document.body.append(field);
        field.select();
        document.execCommand("copy");
        field.remove();
      }
      const before = button.textContent;
      button.textContent = button.dataset.done;
      setTimeout(() => (button.textContent = before), 1500);
    },
  };

  document.addEventListener("click", (event) => {
    for (const [name, act] of Object.entries(actions)) {
      const button = event.target.closest?.(`[data-${name}]`);
      if (button) act(button);
    }
  });

  document.addEventListener("input", (event) => {
    if (event.target.matches?.(".compare input")) event.target.parentElement.style.setProperty("--at", `${event.target.value}%`);
  });

  // The address leads back to the job, also after the browser was closed.
  const remember = () => {
    const job = document.querySelector("[data-job]")?.dataset.job;
    const address = new URL(location.href);
    if (!job || address.searchParams.get("job") === job) return;
    address.searchParams.set("job", job);
    history.replaceState(null, "", address);
  };

  // Words of `data-say` are read aloud once they change; what they are in comes and goes, the node that is read stays.
  const said = new Map();
  const say = () => {
    const live = document.getElementById("said");
    if (!live) return;
    const now = [...document.querySelectorAll("[data-say]")].map((element) => [element.closest("[id]")?.id, element.dataset.say]);
    const fresh = now.filter(([place, words]) => said.get(place) !== words).map(([, words]) => words);
    said.clear();
    for (const [place, words] of now) said.set(place, words);
    if (fresh.length) live.textContent = fresh.join(" ");
  };

  const play = () => {
    for (const video of document.querySelectorAll("video[data-play]")) {
      video.removeAttribute("data-play");
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) video.play().catch(() => {}); // then by its button
    }
  };

  const look = () => [remember, say, play].forEach((act) => act());
  const names = ["data-job", "data-say", "data-play"];
  new MutationObserver(look).observe(document.documentElement, {
    childList: true, subtree: true, attributes: true, attributeFilter: names,
  });
})();
