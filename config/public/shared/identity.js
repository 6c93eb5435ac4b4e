/** The visitor's name, in the chat and in the game. Two tabs are two people. */

const KEY = 'sluice-demo-name';
const NAMES = ['Otter', 'Heron', 'Beaver', 'Kingfisher', 'Newt', 'Pike', 'Dipper', 'Swan', 'Eel', 'Grebe'];

const field = document.getElementById('name');
field.value =
  remembered() ?? `${NAMES[Math.floor(Math.random() * NAMES.length)]} ${1 + Math.floor(Math.random() * 99)}`;

/** The name, or '' if the field is empty. */
export function currentName() {
  return field.value.trim();
}

/** Calls back after each change to a name that is not empty. */
export function onRename(callback) {
  field.addEventListener('change', () => {
    if (currentName() !== '') callback(currentName());
  });
}

onRename((name) => {
  try {
    sessionStorage.setItem(KEY, name);
  } catch {
    // Storage may be forbidden: then the name ends with the page.
  }
});

function remembered() {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}
