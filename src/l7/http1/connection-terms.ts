import type { HttpSettings } from '../../config/types/listener.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { RequestHeadReader } from '../../wire/http/request-reader.ts';
import type { ChannelWriter } from '../buffers/channel-writer.ts';
import type { ListenerOwner } from '../contract/engine.ts';
import type { ExchangeEngine } from '../contract/exchange.ts';
import type { Pipelines } from './pipelines.ts';

/** State that the connections of one listener share. */
export interface ConnectionTerms {
  readonly owner: ListenerOwner;
  readonly engine: ExchangeEngine;
  readonly http: HttpSettings;
  /** Port of the listener. */
  readonly port: number;
  readonly wheel: TimerWheel;
  readonly writer: ChannelWriter;
  readonly pipelines: Pipelines;
  /** Whether answers end their connections, because the listener has stopped accepting. */
  readonly isLeaving: boolean;
  /** Lends a reader for the next head. */
  takeReader(): RequestHeadReader;
  giveReader(reader: RequestHeadReader): void;
}
