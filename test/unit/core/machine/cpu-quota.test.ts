import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCpuQuota } from '../../../../src/core/machine/cpu-quota.ts';

const quotaOf = (files: Readonly<Record<string, string>>): number =>
  readCpuQuota((file) => files[file] ?? null);

describe('the CPU quota', () => {
  it('is read from cpu.max, in a container whose group is the root', () => {
    const files = { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': '150000 100000\n' };
    assert.equal(quotaOf(files), 1.5);
  });

  it('is the smallest of all groups on the way up', () => {
    const files = {
      '/proc/self/cgroup': '0::/pods/pod1/sluice\n',
      '/sys/fs/cgroup/pods/cpu.max': '800000 100000\n',
      '/sys/fs/cgroup/pods/pod1/cpu.max': '50000 100000\n',
      '/sys/fs/cgroup/pods/pod1/sluice/cpu.max': 'max 100000\n',
    };
    assert.equal(quotaOf(files), 0.5);
  });

  it('is read from the files of version 1, also if the path is the host’s', () => {
    const files = {
      '/proc/self/cgroup': '5:cpuset:/docker/1\n4:cpu,cpuacct:/docker/1\n0::/docker/1\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us': '200000\n',
      '/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/cpuset/cpu.cfs_quota_us': '1\n',
      '/sys/fs/cgroup/cpuset/cpu.cfs_period_us': '100000\n',
    };
    assert.equal(quotaOf(files), 2);
  });

  it('is infinite without a limit, and without the files', () => {
    const none = {
      '/proc/self/cgroup': '3:cpu:/\n0::/a\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      '/sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
      '/sys/fs/cgroup/a/cpu.max': 'max 100000\n',
    };
    for (const files of [none, {}, { '/proc/self/cgroup': '0::/\nnonsense\n0::x\n' }]) {
      assert.equal(quotaOf(files), Infinity);
    }
    assert.equal(quotaOf({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/cpu.max': 'what' }), Infinity);
  });

  it('is read from this machine without an error', () => {
    assert.ok(readCpuQuota() > 0);
  });
});
