import { Timed } from '../../core/timing/timer-wheel.ts';
import type { ClientChannel } from '../../transport/client-transport.ts';
import type { ClientConnection } from '../contract/client-connections.ts';

/** A client's connection as others know it, and whether it is read. */
export abstract class ClientLink extends Timed implements ClientConnection {
  readonly channel: ClientChannel;
  readonly peer: string;
  isWatched = false;
  #isPaused = false;

  constructor(channel: ClientChannel, peer: string) {
    super();
    this.channel = channel;
    this.peer = peer;
  }

  isOpen(): boolean {
    return !this.channel.destroyed;
  }

  watch(): boolean {
    this.isWatched = true;
    return this.isOpen();
  }

  unwatch(): void {
    this.isWatched = false;
  }

  /** Closes now. @param resets whether the client gets a reset */
  cutOff(resets: boolean): void {
    if (resets) this.channel.resetAndDestroy();
    else this.channel.destroy();
  }

  /** Receives nothing more until {@link resume}. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.channel.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.channel.resume();
  }
}
