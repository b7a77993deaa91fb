// Buttons and dragging tell the server what to do with which file; the list itself stays there. Gradio gives `element` and
// `trigger`.
element.addEventListener('click', (event) => {
  const button = event.target.closest('button[data-do]');
  if (!button) return;
  const { do: act, index = '0' } = button.dataset;
  focused = { act, index: Number(index) + ({ earlier: -1, later: 1 }[act] ?? 0) };
  trigger('click', { do: act, index: Number(index) });
});
// The list of the server is written over the one that is there; the focus follows the photograph to its new place.
let focused = null;
const names = ['src', 'title', 'data-index'];
new MutationObserver(() => {
  if (!focused) return;
  const items = element.querySelectorAll('li[data-index]');
  const item = items[Math.min(focused.index, items.length - 1)];
  const button = item?.querySelector(`button[data-do="${focused.act}"]`) ?? item?.querySelector('button[data-do]');
  (button ?? document.querySelector('#drop button'))?.focus({ preventScroll: true });
  focused = null;
}).observe(element, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: names });
let from = null;
const item = (event) => event.target.closest('li[data-index]');
element.addEventListener('dragstart', (event) => { from = item(event); });
element.addEventListener('dragover', (event) => {
  if (!from || !item(event)) return;
  event.preventDefault();
  for (const other of element.querySelectorAll('li.over')) other.classList.remove('over');
  item(event).classList.add('over');
});
element.addEventListener('drop', (event) => {
  const to = item(event);
  if (!from || !to) return;
  event.preventDefault();
  trigger('click', { do: 'move', index: Number(from.dataset.index), to: Number(to.dataset.index) });
  from = null;
});
