/** Keys and pointers that steer a player. */

const DIRECTIONS = new Map([
  ['ArrowLeft', [-1, 0]],
  ['ArrowRight', [1, 0]],
  ['ArrowUp', [0, -1]],
  ['ArrowDown', [0, 1]],
  ['KeyA', [-1, 0]],
  ['KeyD', [1, 0]],
  ['KeyW', [0, -1]],
  ['KeyS', [0, 1]],
]);
/** The server moves players 20 times a second: more messages are of no use. */
const POINTER_INTERVAL_MS = 50;

/** Calls back with the direction of the pressed keys after each change, while the element has the focus. */
export function steerByKeys(target, steer) {
  const pressed = new Set();
  const changed = () => {
    let [x, y] = [0, 0];
    for (const code of pressed) {
      x += DIRECTIONS.get(code)[0];
      y += DIRECTIONS.get(code)[1];
    }
    steer(Math.sign(x), Math.sign(y));
  };
  target.addEventListener('keydown', (event) => {
    if (!DIRECTIONS.has(event.code) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (event.repeat || pressed.has(event.code)) return;
    pressed.add(event.code);
    changed();
  });
  target.addEventListener('keyup', ({ code }) => {
    if (pressed.delete(code)) changed();
  });
  target.addEventListener('blur', () => {
    if (pressed.size === 0) return;
    pressed.clear();
    changed();
  });
}

/** Calls back with the place of a pressed pointer, relative to the element, at most 20 times a second. */
export function steerByPointer(target, go) {
  let place = null;
  let timer = null;
  const flush = () => {
    timer = null;
    if (place === null) return;
    go(...place);
    place = null;
    timer = setTimeout(flush, POINTER_INTERVAL_MS);
  };
  const moved = (event) => {
    const box = target.getBoundingClientRect();
    place = [event.clientX - box.left, event.clientY - box.top];
    if (timer === null) flush();
  };
  target.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    target.setPointerCapture(event.pointerId);
    moved(event);
  });
  target.addEventListener('pointermove', (event) => {
    if (target.hasPointerCapture(event.pointerId)) moved(event);
  });
}
