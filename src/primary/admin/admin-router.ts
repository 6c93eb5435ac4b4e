import type { Logger } from '../../telemetry/logger.ts';
import type { ExpositionFormat } from '../../telemetry/exposition/family-text.ts';
import { preferredFormat } from '../../telemetry/exposition/preferred-format.ts';
import { ipOfSocket } from '../../wire/ip-address.ts';
import { healthAnswer, jsonAnswer, pageAnswer, type AdminRequest, type Answer } from './admin-answer.ts';
import type { AdminRefusals } from './admin-refusals.ts';
import type { AdminView } from './admin-view.ts';
import { BearerToken } from './bearer-token.ts';
import { CommandTable, methodOf, runCommand, type CommandCall } from './commands/command-table.ts';
import { parseTarget, refuseForeign } from './host-rules.ts';
import { answerLive } from './live/live-answer.ts';
import type { LiveFeed } from './live/live-feed.ts';
import { HeldPages } from './pages/held-pages.ts';
import { PageBody } from './pages/page-body.ts';
import { PageFile } from './pages/page-file.ts';
import { SharedRendering } from './pages/shared-rendering.ts';

/** Why a request's token is refused. */
interface TokenFault {
  readonly reason: 'no_token' | 'bad_token';
  readonly status: 401 | 403;
  readonly message: string;
  readonly headers?: Answer['headers'];
}

type Page = (request: AdminRequest, query: string) => Answer | Promise<Answer>;

const METRICS_PERIODS = { minPeriodMs: 100, maxPeriodMs: 1000 };
/** Each rendering of the status starts after the requests that it answers. */
const STATUS_PERIODS = { minPeriodMs: 100, maxPeriodMs: 100 };

/** nginx would buffer lines until its buffer is full. */
const STREAM_HEADERS = { 'X-Accel-Buffering': 'no' };

/** Finds the page or command of a request, and refuses requests that are not allowed. */
export class AdminRouter {
  readonly #view: AdminView;
  readonly #refusals: AdminRefusals;
  readonly #log: Logger;
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #commands: CommandTable;
  readonly #metrics: Readonly<Record<ExpositionFormat, SharedRendering<PageBody>>>;
  readonly #status: SharedRendering<PageBody>;
  readonly #held = new HeldPages();
  /** The token at the last command, and its check. */
  #token: { readonly text: string; readonly bearer: BearerToken } | null = null;

  constructor(view: AdminView, refusals: AdminRefusals, live: LiveFeed, log: Logger) {
    const front = new PageFile();
    this.#view = view;
    this.#refusals = refusals;
    this.#log = log;
    this.#commands = new CommandTable(view.commands);
    this.#metrics = { text: this.#metricsIn('text'), openMetrics: this.#metricsIn('openMetrics') };
    this.#status = new SharedRendering(() => PageBody.begin(view.status()), STATUS_PERIODS);
    this.#pages = new Map<string, Page>([
      ['/', (request) => front.answer(request)],
      ['/metrics', (request) => this.#answerMetrics(request)],
      ['/livez', () => healthAnswer(view.notLive())],
      ['/readyz', () => healthAnswer(view.notReady())],
      ['/status', async (request) => this.#answerPage(await this.#status.fresh(), request)],
      ['/live', (request, query) => answerLive(request, query, live, refusals)],
    ]);
  }

  /** Answers a request, given its head. Rejects if a page or a command fails. */
  async answer(request: AdminRequest): Promise<Answer> {
    const { method = '', url = '/', httpVersion, headersDistinct } = request;
    const target = parseTarget(url);
    const { host: hosts = [], origin: origins = [] } = headersDistinct;
    const foreign = refuseForeign({ httpVersion, target, hosts, origins }, this.#view.hosts);
    if (foreign !== null) {
      return this.#refusals.refuse(request, foreign.reason, foreign.status, foreign.message);
    }
    const page = this.#pages.get(target.path);
    if (page !== undefined) {
      return method === 'GET' || method === 'HEAD' ? page(request, target.query) : notAllowed('GET, HEAD');
    }
    const calls = this.#commands.find(target.path);
    if (calls.length === 0) return this.#notFound();
    const wanted = method === 'HEAD' ? 'GET' : method;
    const call = calls.find(({ command }) => methodOf(command) === wanted);
    if (call === undefined) return notAllowed(methodsOf(calls));
    return this.#refuseWithoutToken(request, call) ?? this.#run(request, call, target.query);
  }

  #notFound(): Answer {
    const fields = { pages: [...this.#pages.keys()], commands: this.#commands.names };
    return jsonAnswer(404, 'no page or command at this path: see "pages" and "commands"', {
      fields,
    });
  }

  #refuseWithoutToken(request: AdminRequest, { command }: CommandCall): Answer | null {
    if (command.withoutToken === true) return null;
    const fault = this.#tokenFault(request);
    if (fault === null) return null;
    const { reason, status, message, headers } = fault;
    if (command.refused === undefined) {
      return this.#refusals.refuse(request, reason, status, message, headers);
    }
    command.refused(clientOf(request), message);
    return this.#refusals.refuseUnlogged(reason, status, message, headers);
  }

  #tokenFault({ headers: { authorization } }: AdminRequest): TokenFault | null {
    const { token } = this.#view;
    if (token === null) {
      const message = 'commands are refused: no admin.token is set (in the file, or as SLUICE_ADMIN_TOKEN)';
      return { reason: 'no_token', status: 403, message };
    }
    if (this.#token?.text !== token) this.#token = { text: token, bearer: new BearerToken(token) };
    if (this.#token.bearer.admits(authorization)) return null;
    const message =
      'commands need the token: send "Authorization: Bearer TOKEN" with the value of admin.token';
    const headers = { 'WWW-Authenticate': 'Bearer realm="sluice"' };
    return { reason: 'bad_token', status: 401, message, headers };
  }

  async #run(request: AdminRequest, call: CommandCall, query: string): Promise<Answer> {
    const result = await runCommand(call, new URLSearchParams(query), clientOf(request));
    const { status, message, fields, logged, stream } = result;
    const { command, args } = call;
    if (command.logsItself !== true) {
      const name = `${methodOf(command)} ${command.path}`;
      const level = command.method === 'GET' ? 'debug' : 'info';
      this.#log[level]({ command: name, args, ...logged, status }, 'admin command');
    }
    if (stream === undefined) return jsonAnswer(status, message, { fields });
    return { status, ...stream, headers: STREAM_HEADERS };
  }

  #metricsIn(format: ExpositionFormat): SharedRendering<PageBody> {
    const render = async (): Promise<PageBody> => PageBody.begin(await this.#view.metrics(format));
    return new SharedRendering(render, METRICS_PERIODS);
  }

  async #answerMetrics(request: AdminRequest): Promise<Answer> {
    const { accept = '', 'cache-control': cacheControl = '' } = request.headers;
    const rendering = this.#metrics[preferredFormat(accept)];
    const page = await (wantsFresh(cacheControl) ? rendering.fresh() : rendering.recent());
    return this.#answerPage(page, request, ['Accept']);
  }

  #answerPage(page: PageBody, request: AdminRequest, vary?: readonly string[]): Answer {
    this.#held.add(page);
    return pageAnswer(page, request, vary);
  }
}

function clientOf({ socket }: AdminRequest): string {
  return ipOfSocket(socket.remoteAddress ?? '');
}

/** Whether a Cache-Control header asks for a page rendered after the request (RFC 9111 section 5.2.1). */
function wantsFresh(cacheControl: string): boolean {
  return cacheControl
    .split(',')
    .some((directive) => /^\s*(?:no-cache|max-age\s*=\s*"?0+"?)\s*$/i.test(directive));
}

/** Returns the methods of a path in the form of `Allow`. */
function methodsOf(calls: readonly CommandCall[]): string {
  const methods = calls.map(({ command }) => methodOf(command));
  return methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])).join(', ');
}

function notAllowed(allow: string): Answer {
  return jsonAnswer(405, `this path takes only ${allow}`, { headers: { Allow: allow } });
}
