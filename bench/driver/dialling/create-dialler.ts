import { unsupportedReason } from '../../../src/sys/support.ts';
import type { Plan } from '../../options/plan.ts';
import { isEncrypted } from '../../options/target.ts';
import type { Dialler } from './connection.ts';
import { NetDialler } from './net-dialler.ts';
import { SocketDialler } from './socket-dialler.ts';

/**
 * Creates a dialler. It uses system calls on Linux without TLS, and Node's sockets otherwise.
 *
 * @param address IP address of the target
 */
export function createDialler(plan: Plan, address: string): Dialler {
  const { target } = plan;
  const bySystemCalls = !isEncrypted(target.protocol) && unsupportedReason() === null;
  return bySystemCalls ? new SocketDialler(address, target.port) : new NetDialler(address, plan);
}
