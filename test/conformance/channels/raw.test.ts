/** The contract of clients' channels on system calls, with TLS and without, and beside those of Node's sockets. */
import { readFileSync } from 'node:fs';
import { after } from 'node:test';
import type { ListenerTls } from '../../../src/config/types/listener.ts';
import { TICKET_KEY_BYTES, TicketKeyRing } from '../../../src/core/ticket-key-ring.ts';
import { TimerWheel } from '../../../src/core/timing/timer-wheel.ts';
import { EventLoop } from '../../../src/loop/event-loop.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import type { ClientTransport } from '../../../src/transport/client-transport.ts';
import { NetClients } from '../../../src/transport/net/net-clients.ts';
import { RawClients } from '../../../src/transport/raw/raw-clients.ts';
import { RawHome } from '../../../src/transport/raw/raw-home.ts';
import { CertificateAuthority } from '../../support/certificates.ts';
import { listenerTls } from '../../unit/primary/fixtures/config.ts';
import type { Side, TransportRig } from './rig.ts';
import { describeChannels, describePassage } from './suite.ts';

const skip = unsupportedReason() ?? false;
const authority = new CertificateAuthority();
const { cert, key } = authority.issue('localhost', ['DNS:localhost']);
const SETTINGS: ListenerTls = listenerTls([
  {
    cert,
    key,
    certPem: readFileSync(cert, 'utf8'),
    keyPem: readFileSync(key, 'utf8'),
    digest: '',
    uri: null,
    serverNames: ['localhost'],
  },
]);
after(() => authority.remove());

const plain = (transport: ClientTransport): Side => ({ transport, tls: null });

function secure(transport: ClientTransport): Side {
  const ring = new TicketKeyRing();
  ring.replace([Buffer.alloc(TICKET_KEY_BYTES, 1)]);
  const ciphers = 'TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256';
  return { transport, tls: transport.createTls('listener', { ...SETTINGS, ciphers }, ring) };
}

/** Makes a loop, and the sides that a test chooses from the transports on it. */
function rigOf(choose: (raw: ClientTransport, net: ClientTransport) => readonly Side[]): TransportRig {
  const loop = new EventLoop(new TimerWheel(performance.now()));
  loop.start();
  return {
    sides: choose(new RawClients(new RawHome(loop)), new NetClients(() => loop.yieldToNode())),
    close: () => loop.close(),
  };
}

describeChannels('system calls', () => rigOf((raw) => [plain(raw)]), skip, true);
describeChannels('system calls, with TLS', () => rigOf((raw) => [secure(raw)]), skip, true);
describeChannels('Node’s sockets in our loop', () => rigOf((_raw, net) => [plain(net)]), skip);
describePassage(
  'from system calls to Node’s sockets',
  () => rigOf((raw, net) => [plain(raw), plain(net)]),
  skip,
);
describePassage(
  'from Node’s sockets to system calls',
  () => rigOf((raw, net) => [plain(net), plain(raw)]),
  skip,
);
describePassage('from TLS to none', () => rigOf((raw) => [secure(raw), plain(raw)]), skip);
describePassage('from none to TLS', () => rigOf((raw) => [plain(raw), secure(raw)]), skip);
