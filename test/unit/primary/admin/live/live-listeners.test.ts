import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../../../src/config/types/config.ts';
import { LiveListeners, type ListenerParts } from '../../../../../src/primary/admin/live/live-listeners.ts';
import type { CertificateExpiry } from '../../../../../src/primary/process/certificate-expiry.ts';
import { config, l7Listener } from '../../fixtures/config.ts';

/** The parts of a primary that a reload replaces one after the other. */
class Rig implements ListenerParts {
  readonly supervisor = {
    config: withEngine('raw'),
    directory: { find: () => 1 } as unknown as ListenerParts['supervisor']['directory'],
    sums: { at: () => 7 } as unknown as ListenerParts['supervisor']['sums'],
  };
  readonly reloader = { current: withEngine('auto') };
  readonly liveConfig: { certificates: readonly CertificateExpiry[] } = { certificates: [] };
  readonly engines: ListenerParts['engines'] = {
    choiceOf: (listener) => {
      this.choices++;
      return { listener, reason: `was ${listener.engine}`, shortage: null };
    },
  };
  choices = 0;
  readonly listeners = new LiveListeners(this);
}

describe('the listeners of live frames', () => {
  it('have their connections, drains and certificate expiries', () => {
    const rig = new Rig();
    rig.liveConfig.certificates = [
      { listener: 'web', certificate: 'a.example', notAfter: 86_400 },
      { listener: 'other', certificate: 'b.example', notAfter: 86_400 },
    ];
    const [listener] = rig.listeners.read((name) => name === 'web');
    assert.equal(listener?.connections, 7);
    assert.equal(listener.drained, true);
    assert.equal(listener.engineReason, 'was auto');
    assert.deepEqual(listener.certificates, [{ name: 'a.example', notAfter: '1970-01-02T00:00:00.000Z' }]);
  });

  it('choose engines once per configuration', () => {
    const rig = new Rig();
    for (let frame = 0; frame < 3; frame++) rig.listeners.read(() => false);
    assert.equal(rig.choices, 1);
  });

  it('are correct after a reload, even if a frame was written in the middle of it', () => {
    const rig = new Rig();
    const read = (): { engineReason: string; certificates: number } => {
      const [listener] = rig.listeners.read(() => false);
      return { engineReason: listener!.engineReason, certificates: listener!.certificates.length };
    };
    assert.deepEqual(read(), { engineReason: 'was auto', certificates: 0 });
    rig.supervisor.config = withEngine('raw');
    read();
    rig.liveConfig.certificates = [{ listener: 'web', certificate: 'a.example', notAfter: 86_400 }];
    read();
    rig.reloader.current = withEngine('raw');
    assert.deepEqual(read(), { engineReason: 'was raw', certificates: 1 });
  });
});

function withEngine(engine: 'auto' | 'raw'): Config {
  return { ...config, listeners: [{ ...l7Listener, engine }] };
}
