// ends a page of episodes: it tells how high it is, so that it needs no scrolling of its own
const TELL_HEIGHT = `<style>html { overflow: hidden; }</style><script>
new ResizeObserver(() => parent.postMessage(document.documentElement.offsetHeight, "*"))
  .observe(document.documentElement);
<\/script>`;

/** Show the page of a student's episodes when it is asked for, as high as it is. */
function makeWalks() {
  byId("walks-part").hidden = !content.walks.length;
  if (!content.walks.length) return;
  const choice = byId("walk-choice"), frame = byId("walk");
  const show = () => { frame.srcdoc = content.walks[choice.value].page + TELL_HEIGHT; };
  addEventListener("message", ({source, data}) => {
    if (source === frame.contentWindow && Number.isFinite(data)) frame.style.height = `${data + 2}px`;  // with its border
  });
  fill(choice, content.walks.map(walk => walk.name));
  choice.addEventListener("change", show);
  const near = new IntersectionObserver(([seen]) => {
    if (!seen.isIntersecting) return;
    near.disconnect();
    show();
  });
  near.observe(frame);
}
