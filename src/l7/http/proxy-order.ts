import type { HttpSettings } from '../../config/types/listener.ts';
import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { PickContext } from '../../upstream/balancers/balancer.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';
import type { ConnectionLogin } from '../../wire/http/connection-auth.ts';
import type { UpstreamTarget } from '../../wire/http/request-encoding.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import type { BoundConnections } from '../bound/bound-connections.ts';
import type { BufferBudget } from '../buffers/buffer-budget.ts';
import type { Asker } from '../contract/client-connections.ts';
import type { HttpReply } from '../contract/http-reply.ts';
import type { RequestRefusal } from '../contract/listener-stats.ts';
import type { OwnAnswer } from '../contract/own-refusal.ts';
import type { RequestBody } from '../contract/request-body.ts';
import type { UpstreamDialler } from '../contract/upstream-socket.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { RequestWriter } from './request-writer.ts';

/** What the requests of one route in one worker share. */
export interface ProxyContext {
  readonly cluster: Cluster;
  readonly settings: HttpSettings;
  /** Lower-case names of headers that no client may send. */
  readonly own: ReadonlySet<string>;
  readonly wheel: TimerWheel;
  readonly pool: ConnectionPool;
  readonly bound: BoundConnections;
  readonly writer: RequestWriter;
  readonly dialler: UpstreamDialler;
  readonly budget: BufferBudget;
  /** The requests of the worker that are not over. */
  readonly requests: LiveSet<LiveMember & { cancel(): void }>;
  readonly log: Logger;
}

/** A client's request that is valid, on its way to an endpoint. */
export interface ProxyOrder {
  readonly head: RequestHead;
  readonly to: UpstreamTarget;
  readonly login: ConnectionLogin;
  /** Null if the request has no body. */
  readonly body: RequestBody | null;
  readonly reply: HttpReply;
  readonly asker: Asker;
  /** The facts about the client that decide the endpoint. */
  readonly pick: PickContext;
  /** Whether the client uses TLS, to the proxy or to a trusted proxy in front. */
  readonly secure: boolean;
  /** Whether a Via header is added to the response. */
  readonly via: boolean;
  readonly requestId: string;
  /** When the request could go to an endpoint, by `performance.now()`: its credentials were checked. */
  readonly letInAt: number;
  /**
   * Called once, when the request is over.
   *
   * @param status the one that was sent
   * @param endpoint the one that was asked last; null if none was
   * @param refusal the counter of a refusal for the request's body or for full buffers; null for any other end
   * @param attempts endpoints that were asked
   * @param own why the proxy has answered in its own name; null if it has not
   */
  done(
    status: number,
    endpoint: Endpoint | null,
    refusal: RequestRefusal | null,
    attempts: number,
    own: OwnAnswer | null,
  ): void;
}
