/** Show the page of a student's episodes when it is asked for. */
function makeWalks() {
  byId("walks-part").hidden = !content.walks.length;
  if (!content.walks.length) return;
  const choice = byId("walk-choice"), show = () => { byId("walk").srcdoc = content.walks[choice.value].page; };
  fill(choice, content.walks.map(walk => walk.name));
  choice.addEventListener("change", show);
  const near = new IntersectionObserver(([seen]) => {
    if (!seen.isIntersecting) return;
    near.disconnect();
    show();
  });
  near.observe(byId("walk"));
}
