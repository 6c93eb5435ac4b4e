import type { L7Listener as L7ListenerConfig } from '../../config/types/listener.ts';
import type { Slices } from '../../core/timing/slices.ts';
import type { TunnelMaker } from '../../l4/tunnel-maker.ts';
import type { TunnelContext } from '../../l4/tunnel.ts';
import type { Engine } from '../../l7/contract/engine.ts';
import type { L7Environment } from '../../l7/dispatch/l7-environment.ts';
import { L7Listener } from '../../l7/dispatch/l7-listener.ts';
import type { UpgradeContext } from '../../l7/websocket/upgrade-order.ts';
import type { ServedListener } from '../generations/layer.ts';
import { hasTunnels } from './tunnel-group.ts';
import { WebTunnels } from './web-tunnels.ts';

/** A context of sessions and requests, or of tunnels. */
export type WebContext = UpgradeContext | TunnelContext;

/** Parameters of a listener's creation. */
interface Making {
  readonly maker: TunnelMaker<object>;
  /** The listener to replace, whose sessions continue. Null without one. */
  readonly previous: WebListener | null;
  readonly slices: Slices;
}

/** One layer 7 listener in one worker, and the tunnels that share its address. */
export class WebListener implements ServedListener<WebListener, L7ListenerConfig, L7Environment, WebContext> {
  readonly #web: L7Listener;
  readonly #tunnels: WebTunnels;

  private constructor(web: L7Listener, tunnels: WebTunnels) {
    this.#web = web;
    this.#tunnels = tunnels;
  }

  /** Creates a listener in slices. It does not listen yet. */
  static async create(
    config: L7ListenerConfig,
    environment: L7Environment,
    engine: Engine,
    { maker, previous, slices }: Making,
  ): Promise<WebListener> {
    const passthrough = new WebTunnels(config, environment, maker);
    const replaced = previous === null ? null : previous.#web;
    const surroundings = { previous: replaced, passthrough };
    const web = await L7Listener.create(config, environment, engine, surroundings, slices);
    return new WebListener(web, passthrough);
  }

  fits(config: L7ListenerConfig): boolean {
    return this.#web.fits(config);
  }

  async prepare(config: L7ListenerConfig, environment: L7Environment, slices: Slices): Promise<() => void> {
    const commitTunnels = this.#tunnels.prepare(config, environment);
    const commit = await this.#web.prepare(config, environment, slices);
    return () => {
      commit();
      commitTunnels();
    };
  }

  inherit(previous: WebListener): void {
    this.#web.inherit(previous.#web);
  }

  listen(): Promise<void> | void {
    return this.#web.listen();
  }

  get listens(): boolean {
    return this.#web.listens;
  }

  /** Connections that are still arriving must not start under the replaced configuration. */
  get mayGrow(): boolean {
    return this.#web.listens;
  }

  handOver(from: number | null): void {
    this.#web.handOver(from);
  }

  stop(): void {
    this.#web.stop();
  }

  admit(admitted: boolean): void {
    this.#tunnels.admits = admitted;
    this.#web.admit(admitted);
  }

  follow(successor: WebListener): void {
    this.#tunnels.follow(successor.#tunnels);
    this.#web.follow(successor.#web);
  }

  close(): void {
    this.#web.close();
  }

  get contexts(): readonly WebContext[] {
    return [...this.#web.contexts, ...this.#tunnels.contexts];
  }

  uses(context: WebContext): boolean {
    return hasTunnels(context) ? this.#tunnels.contexts.includes(context) : this.#web.uses(context);
  }

  covers(context: WebContext): boolean {
    return hasTunnels(context) ? this.#tunnels.covers(context) : this.#web.covers(context);
  }

  get requests(): { readonly open: number } {
    return this.#web.requests;
  }

  get unanswered(): number {
    return this.#web.unanswered;
  }

  get connections(): number {
    return this.#web.connections;
  }
}
