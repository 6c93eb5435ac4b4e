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
import type { Requester } from '../contract/client-connections.ts';
import type { HttpReply } from '../contract/http-reply.ts';
import type { RequestRefusal } from '../contract/listener-stats.ts';
import type { OwnAnswer } from '../contract/own-refusal.ts';
import type { RequestBody } from '../contract/request-body.ts';
import type { UpstreamDialler } from '../contract/upstream-socket.ts';
import type { ConnectionPool } from './connection-pool.ts';
import type { RequestWriter } from './request-writer.ts';

/** State that the requests of one route share in one worker. */
export interface ProxyContext {
  readonly cluster: Cluster;
  readonly settings: HttpSettings;
  /** Lower-case names of headers that no client may send. */
  readonly reserved: ReadonlySet<string>;
  readonly wheel: TimerWheel;
  readonly pool: ConnectionPool;
  readonly bound: BoundConnections;
  readonly writer: RequestWriter;
  readonly dialler: UpstreamDialler;
  readonly budget: BufferBudget;
  /** The worker's requests that have not ended. */
  readonly requests: LiveSet<LiveMember & { cancel(): void }>;
  readonly log: Logger;
}

/** A client's valid request, for an endpoint. */
export interface ProxyOrder {
  readonly head: RequestHead;
  readonly to: UpstreamTarget;
  readonly login: ConnectionLogin;
  /** Null if the request has no body. */
  readonly body: RequestBody | null;
  readonly reply: HttpReply;
  readonly requester: Requester;
  /** The facts about the client that select the endpoint. */
  readonly pick: PickContext;
  /** Whether the client uses TLS, to sluice or to a trusted proxy in front of it. */
  readonly secure: boolean;
  /** Whether the response gets a Via header. */
  readonly via: boolean;
  readonly requestId: string;
  /** Time of the request's admission, after the check of credentials, by `performance.now()`. */
  readonly admittedAt: number;
  /**
   * Called once, when the request has ended.
   *
   * @param status status of the answer
   * @param endpoint the last one tried, null if none was
   * @param refusal the reason label if the body or full buffers caused a refusal, or null
   * @param attempts number of endpoints tried
   * @param own the answer if sluice itself gave it, or null
   */
  done(
    status: number,
    endpoint: Endpoint | null,
    refusal: RequestRefusal | null,
    attempts: number,
    own: OwnAnswer | null,
  ): void;
}
