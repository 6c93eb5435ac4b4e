import { Connection, showEndpoint, showNoEndpoint } from '../shared/connection.js';

const PARAMETER = 'job';
const STATES = new Map([
  ['running', 'Running'],
  ['done', 'Done'],
  ['cancelled', 'Cancelled'],
]);

/** Starts a long job and shows its progress. The page's address has the job's id, so it survives a reload. */
export function startJob() {
  const byId = (id) => document.getElementById(`job-${id}`);

  const connection = new Connection('job', byId('state'), { opened, message, closed });

  function opened() {
    byId('start').disabled = false;
    if (jobId() !== null) connection.send({ type: 'watch', id: jobId() });
  }

  function message(message) {
    switch (message.type) {
      case 'welcome':
        showEndpoint(byId('endpoint'), message.endpoint);
        break;
      case 'progress':
        remember(message.id);
        show(message);
        break;
      case 'unknown':
        remember(null);
        showIdle('The job is unknown: the server has forgotten it. Start another.');
        break;
      case 'error':
      case 'notice':
        byId('start').disabled = false;
        byId('status').textContent = message.text;
        break;
    }
  }

  function closed() {
    byId('start').disabled = byId('cancel').disabled = true;
    showNoEndpoint(byId('endpoint'));
  }

  function show({ state, percent, points, estimate }) {
    const running = state === 'running';
    byId('start').disabled = running;
    byId('cancel').disabled = !running;
    byId('bar').value = percent;
    byId('percent').textContent = `${percent} %`;
    byId('result').textContent =
      estimate === null ? '–' : `${estimate.toFixed(4)} from ${points.toLocaleString('en')} points`;
    // A screen reader reads changes of the state out, but not each percent.
    const words = STATES.get(state);
    if (byId('status').textContent !== words) byId('status').textContent = words;
  }

  function showIdle(words) {
    byId('start').disabled = !connection.isOpen;
    byId('cancel').disabled = true;
    byId('bar').value = 0;
    byId('percent').textContent = '0 %';
    byId('result').textContent = '–';
    byId('status').textContent = words;
  }

  byId('start').addEventListener('click', () => {
    byId('start').disabled = true;
    connection.send({ type: 'start' });
  });
  byId('cancel').addEventListener('click', () => connection.send({ type: 'cancel', id: jobId() }));
}

function jobId() {
  return new URL(location.href).searchParams.get(PARAMETER);
}

function remember(id) {
  if (id === jobId()) return;
  const url = new URL(location.href);
  if (id === null) url.searchParams.delete(PARAMETER);
  else url.searchParams.set(PARAMETER, id);
  history.replaceState(null, '', url);
}
