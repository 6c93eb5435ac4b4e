import type { Acceptor, AcceptorOwner } from '../transport/acceptor.ts';
import type { ArrivalOwner, EntryFacts, EntryRejection } from '../transport/entry.ts';
import { serve, type ListenerTunnelMaker } from './tunnel-maker.ts';
import type { TunnelListener, TunnelOwner } from './tunnel.ts';

/**
 * An engine's part of one layer 4 listener. Accepts connections and holds each until its tunnel starts.
 * `Connection` is the type the transport watches.
 */
export abstract class AcceptingListener<Connection>
  implements
    TunnelListener,
    ArrivalOwner<Connection>,
    Pick<AcceptorOwner<never>, 'acceptFailed' | 'acceptFault'>
{
  protected readonly owner: TunnelOwner;
  protected abstract readonly acceptor: Acceptor;
  protected abstract readonly arrivals: { closeAll(): void };
  protected abstract readonly tunnels: ListenerTunnelMaker<Connection>;

  constructor(owner: TunnelOwner) {
    this.owner = owner;
  }

  async listen(): Promise<void> {
    await this.acceptor.listen();
  }

  get listens(): boolean {
    return this.acceptor.listens;
  }

  handOver(from: number | null): void {
    this.acceptor.handOver(from);
  }

  stop(): void {
    this.acceptor.stop();
  }

  close(): void {
    this.stop();
    this.arrivals.closeAll();
  }

  entered(connection: Connection, facts: EntryFacts, since: number): void {
    serve(this.tunnels, connection, this.owner.choose(facts, since), facts);
  }

  rejected(rejection: EntryRejection): void {
    this.owner.rejected(rejection);
  }

  lost(fault: unknown): void {
    this.owner.lost(fault);
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.owner.acceptFailed(code, isFirst);
  }

  acceptFault(error: unknown): void {
    this.owner.acceptFault(error);
  }
}
