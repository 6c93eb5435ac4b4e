/** The container image, built by buildah without a registry, and its programs in a read-only root. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readlinkSync } from 'node:fs';
import { realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { ROOT } from '../processes/program.ts';

const BUILD_MS = 600_000;
const DOCKERFILE = join(ROOT, 'deploy/docker/Dockerfile');
/** The Dockerfile's base. An image of this machine's Node and npm takes its place, on this machine's /usr. */
const BASE = 'docker.io/library/node:22-bookworm';
const BASE_FILE = `FROM scratch
COPY root /
ENV PATH=/opt/node/bin:/usr/bin:/bin
RUN npm --version
`;
const BUILD = ['bud', '--isolation=chroot', '--pull=never', '--format=docker', '--volume=/usr:/usr:ro'];

/** Enters the image: its root, the configuration's folder, the user and group, then a command. */
const ENTER = `set -e
root=$1 folder=$2 user=$3
shift 3
mount --bind "$root" "$root"
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/etc/sluice"
cp "$folder"/* "$root/etc/sluice/"
chmod 444 "$root"/etc/sluice/*
mount -o remount,bind,ro "$root"
exec chroot --userspec="$user" --groups= "$root" "$@"`;
/** Container runtimes make these folders, too. */
const MOUNT_POINTS = ['dev', 'proc', 'etc/sluice'];

/** Settings of an image for its containers. The names are Docker's. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly StopSignal: string;
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly Labels: Readonly<Record<string, string>>;
}

export class ContainerImage {
  readonly #folder: string;
  #root = '';

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the base image. Returns the reason if this machine cannot build images. */
  static prepare(): ContainerImage | string {
    if (process.platform !== 'linux' || process.getuid?.() !== 0)
      return 'only root on Linux can build images';
    if (spawnSync('buildah', ['--version']).error !== undefined) return 'buildah is not installed';
    const image = new ContainerImage(mkdtempSync(join(tmpdir(), 'sluice-image-')));
    try {
      writeBase(join(image.#folder, 'root'));
      writeFileSync(join(image.#folder, 'Dockerfile'), BASE_FILE);
      image.#buildah(...BUILD, `--tag=${BASE}`, image.#folder);
      return image;
    } catch (error) {
      image.remove();
      return `buildah cannot build here: ${(error as Error).message.trim().split('\n').at(-1)}`;
    }
  }

  /** Builds the Dockerfile. */
  build(): void {
    const cache = output('npm', ['config', 'get', 'cache']);
    const ignored = `--ignorefile=${DOCKERFILE}.dockerignore`;
    const volume = `--volume=${cache}:/npm-cache`;
    this.#buildah(...BUILD, volume, `--file=${DOCKERFILE}`, ignored, '--tag=sluice', ROOT);
    this.#root = this.#buildah('mount', this.#buildah('from', '--pull=never', 'localhost/sluice'));
    for (const folder of MOUNT_POINTS) mkdirSync(join(this.#root, folder), { recursive: true });
  }

  /** Folder with the image's files. */
  get root(): string {
    return this.#root;
  }

  /** Uncompressed size as `buildah images` shows it: `144 MB`. */
  get size(): string {
    return this.#buildah('images', '--format={{.Size}}', 'localhost/sluice');
  }

  get config(): ImageConfig {
    const text = this.#buildah('inspect', '--type=image', 'localhost/sluice');
    return (JSON.parse(text) as { Docker: { config: ImageConfig } }).Docker.config;
  }

  /**
   * Returns a command that runs one of the image's programs as its user, on a read-only root without capabilities.
   * The network is the machine's.
   *
   * @param folder its files appear in /etc/sluice
   */
  command(folder: string, program: readonly string[]): readonly string[] {
    const { User, Env } = this.config;
    const inside = ['env', '-i', ...Env, '/usr/sbin/chroot'];
    const script = ENTER.replace('exec chroot', `exec ${inside.join(' ')}`);
    return ['unshare', '--mount', 'sh', '-c', script, 'sh', this.#root, folder, User, ...program];
  }

  remove(): void {
    const [store] = this.#store();
    spawnSync('buildah', [...this.#store(), 'umount', '--all']);
    // Some storage drivers bind their own folder.
    spawnSync('umount', [join(store!.replace('--root=', ''), 'overlay')]);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #store(): readonly string[] {
    return [`--root=${join(this.#folder, 'store')}`, `--runroot=${join(this.#folder, 'run')}`];
  }

  #buildah(...args: readonly string[]): string {
    return output('buildah', [...this.#store(), ...args]);
  }
}

/** Writes a root that works once /usr is mounted: links into it, settings of the machine, Node and npm. */
function writeBase(root: string): void {
  const modules = join(root, 'opt/node/lib/node_modules');
  const programs = join(root, 'opt/node/bin');
  for (const folder of ['usr', 'etc', 'tmp', 'root', 'npm-cache', 'opt/node/bin']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  for (const link of ['bin', 'sbin', 'lib', 'lib64']) {
    const path = join('/', link);
    if (existsSync(path) && lstatSync(path).isSymbolicLink())
      symlinkSync(readlinkSync(path), join(root, link));
  }
  for (const file of ['passwd', 'group', 'ld.so.cache', 'alternatives', 'ssl', 'resolv.conf', 'hosts']) {
    const path = join('/etc', file);
    if (existsSync(path))
      cpSync(path, join(root, path), { recursive: true, verbatimSymlinks: file !== 'resolv.conf' });
  }
  cpSync(process.execPath, join(programs, 'node'));
  const npm = dirname(dirname(realpathSync(output('sh', ['-c', 'command -v npm']))));
  cpSync(npm, join(modules, 'npm'), { recursive: true });
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(programs, 'npm'));
  const registry = output('npm', ['config', 'get', 'registry']);
  writeFileSync(join(root, 'root/.npmrc'), `registry=${registry}\ncache=/npm-cache\nprefer-offline=true\n`);
}

/** @throws Error with stderr if the command fails */
function output(command: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: BUILD_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return stdout.trim();
  throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
