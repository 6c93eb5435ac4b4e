/** The page of the admin address. Connects its parts. */
import { browserClock } from './client/clock.ts';
import { EventPoll } from './client/event-poll.ts';
import { LiveStream } from './client/live-stream.ts';
import { Operator } from './client/operator.ts';
import type { LiveFrame } from '../protocol/admin/live.ts';
import { RELOAD, drain, undrain, type Command } from './model/commands.ts';
import { RecentEvents } from './model/recent-events.ts';
import { History } from './model/history.ts';
import { noticesOf } from './model/notices.ts';
import { AnswersView } from './view/answers-view.ts';
import { ChartsView } from './view/charts-view.ts';
import { ClustersView } from './view/clusters-view.ts';
import { CommandRunner } from './view/command-runner.ts';
import { byId, setAttribute } from './view/dom.ts';
import { EventsView } from './view/events-view.ts';
import { HeaderView, isDrained } from './view/header-view.ts';
import { ListenersView } from './view/listeners-view.ts';
import { NoticesView } from './view/notices-view.ts';
import { SessionsView } from './view/sessions-view.ts';
import { WorkersView } from './view/workers-view.ts';

const TICK_MS = 500;

const clock = browserClock();
const fetch = globalThis.fetch.bind(globalThis);
const history = new History();
const recentEvents = new RecentEvents();
const operator = new Operator(fetch, onToken);
const commandRunner = new CommandRunner(operator, new AnswersView(clock));
const run = (command: Command): void => void commandRunner.run(command);
const authorize = (): void => void commandRunner.authorize();

const header = new HeaderView();
const notices = new NoticesView(run);
const charts = new ChartsView();
const clusters = new ClustersView({ operator, clock, onCommand: run });
const listeners = new ListenersView(run);
const workers = new WorkersView();
const events = new EventsView(recentEvents, authorize);
const sessions = new SessionsView({
  operator,
  authorize: () => commandRunner.authorize(),
  run: async (command) => (await commandRunner.run(command))?.status ?? null,
});

let frame: LiveFrame | null = null;
let isDrawing = false;
/** Why there are no new events. Null without a problem, undefined before the first answer. */
let eventProblem: string | null | undefined;

const poll = new EventPoll({
  operator,
  recentEvents,
  clock,
  onAnswer: (problem) => {
    eventProblem = problem;
    showEvents();
  },
});
const stream = new LiveStream(
  {
    onFrame: (next) => {
      frame = next;
      history.add(next);
      sessions.notice(next);
      // Frames that arrive faster than the screen refreshes are drawn once.
      if (isDrawing) return;
      isDrawing = true;
      requestAnimationFrame(draw);
    },
    onState: (state) => header.showLink(state, clock.now()),
  },
  { fetch, clock },
);

function draw(): void {
  isDrawing = false;
  if (frame === null) return;
  commandRunner.takesCommands = frame.takesCommands;
  setAttribute(document.body, 'data-ready', '');
  header.show(frame);
  notices.show(noticesOf(frame));
  charts.show(history, frame);
  clusters.show(frame);
  listeners.show(frame);
  workers.show(frame);
  showEvents();
}

function showEvents(): void {
  const { hasToken } = operator;
  events.show({ takesCommands: frame?.takesCommands ?? true, hasToken, problem: eventProblem });
}

/** Called when the token is set or forgotten. Data that needed the token is cleared. */
function onToken(): void {
  header.showToken(operator.hasToken);
  eventProblem = undefined;
  recentEvents.clear();
  if (operator.hasToken) poll.start();
  else {
    poll.stop();
    sessions.clear();
  }
  showEvents();
}

function onVisibility(): void {
  if (document.hidden) {
    stream.pause();
    poll.stop();
  } else {
    stream.open();
    if (operator.hasToken) poll.start();
  }
}

byId('reload', HTMLButtonElement).addEventListener('click', () => run(RELOAD));
byId('drain-all', HTMLButtonElement).addEventListener('click', () => {
  const all = { kind: 'all' } as const;
  const open = frame === null ? null : frame.gauges.sessions + frame.gauges.tunnels;
  run(frame !== null && isDrained(frame) ? undrain(all) : drain(all, open));
});
byId('token-button', HTMLButtonElement).addEventListener('click', () => {
  if (operator.hasToken) operator.forget();
  else authorize();
});
byId('retry', HTMLButtonElement).addEventListener('click', () => stream.retry());
byId('load-again', HTMLButtonElement).addEventListener('click', () => location.reload());
document.addEventListener('visibilitychange', onVisibility);
setInterval(() => header.tick(clock.now()), TICK_MS);
onVisibility();
