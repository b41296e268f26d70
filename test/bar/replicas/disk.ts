import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { TEMP_MARK } from '../../../src/hosts/fs-folders.ts'
import { indexPath } from '../../../src/protocol/name.ts'
import { downloadPath } from '../../http/proxied.ts'
import { crateFile, publishBody } from '../../support/crate-file.ts'
import { randomBytesFrom, randomFrom } from '../../support/random.ts'
import { ensureTools } from '../../support/tools.ts'
import { startUplink, type Uplink } from '../../support/uplink.ts'
import { exactly, type Figure, note } from '../figures.ts'
import type { KillableServer } from '../killable-server.ts'
import { problemFigures } from '../last-figures.ts'
import { fetchCrate, publishedState, readIndex, sendCrate } from '../registry-client.ts'
import { failing, fileThreadOf } from '../strace.ts'
import { bucketPlace, type Context, folderPlace, type Place, startReplica } from './place.ts'

const DISK = '4m'
const DAY_MS = 86_400_000
const LARGE = 300_000
const SEED = 20_261_130

/** A disk below a folder or an S3 server that is full, read-only or fails to read, and a process without descriptors. */
export async function diskFigures(context: Context, kind: keyof typeof DISKS): Promise<readonly Figure[]> {
  await ensureTools(['strace'])
  const uplink = await startUplink(context, { crates: [crateFile('far')] })
  const folder = await smallDisk(context)
  const disk = await DISKS[kind](context, folder)
  const server = await startReplica(context, disk.place, { cargo: cargoOf(uplink) }, { threads: 1 })
  const cases: Readonly<Record<string, Case>> = { full, readOnly, withoutDescriptors, unreadable }
  const figures: Figure[] = []
  for (const [name, run] of Object.entries(cases)) {
    const problems: string[] = []
    const check = (what: string, is: unknown, wanted: readonly unknown[]) => {
      if (!wanted.includes(is)) problems.push(`${what}: ${is}, not ${wanted.join(' or ')}`)
    }
    const seen = await run({ server, uplink, folder, disk, check })
    if (!server.isRunning()) problems.push('the server has ended')
    const title = `${disk.place.name}, disk ${name}`
    figures.push(
      note(title, seen),
      exactly(`${title}: wrong answers, traces, or not well afterwards`, problems.length, 0),
      ...problemFigures(problems),
    )
  }
  return figures
}

/** A place on a small disk. */
interface Disk {
  readonly place: Place
  /** What a process without descriptors may answer. */
  readonly starved: readonly number[]
  /** Makes all reads of the storage fail; call what it returns to end that. */
  failReads(server: KillableServer): Promise<() => Promise<unknown>>
  /** How much was begun and not finished. */
  unfinished(): Promise<number>
}

const DISKS = { folder: folderOn, s3: bucketOn } as const

async function folderOn(context: Context, folder: string): Promise<Disk> {
  return {
    place: await folderPlace(context, folder),
    starved: [503],
    failReads: (server) => failing(fileThreadOf(server.pid()), ['openat', 'read', 'pread64'], 'EIO'),
    unfinished: async () => filesNamed(folder, TEMP_MARK),
  }
}

async function bucketOn(context: Context, folder: string): Promise<Disk> {
  const place = await bucketPlace(context, folder)
  const store = await place.open()
  return {
    place: { ...place, ...place.through },
    // There may be a connection that is open already.
    starved: [503, 200],
    async failReads() {
      place.proxy.plan(({ method }) =>
        method === 'GET' ? { kind: 'answer', status: 500, code: 'InternalError' } : undefined,
      )
      return async () => place.proxy.plan(() => undefined)
    },
    unfinished: async () => (await store.sweep?.(new Date(Date.now() + DAY_MS))) ?? 0,
  }
}

interface Stage {
  readonly server: KillableServer
  readonly uplink: Uplink
  /** Where the disk is. */
  readonly folder: string
  readonly disk: Disk
  /** Notes a value that is none of the wanted ones. */
  check(what: string, is: unknown, wanted: readonly unknown[]): void
}

type Case = (stage: Stage) => Promise<string>

async function full({ server, folder, disk, check }: Stage): Promise<string> {
  const noise = randomBytesFrom(randomFrom(SEED), LARGE)
  const large = (n: number) => crateFile(`large-${n}`).add(`large-${n}-1.0.0/noise`, noise)
  let stored = 0
  while ((await sendCrate(server, large(stored))) === 200 && stored < 100) stored += 1
  const filler = join(folder, 'filler')
  fill(filler)
  for (let n = stored; n < stored + 5; n++) {
    check('a publish on a full disk', await sendCrate(server, large(n)), [507, 503])
    check('its index file', (await readIndex(server, `large-${n}`)).length, [0])
  }
  check('unfinished files', await disk.unfinished(), [0])
  check('an older index', (await readIndex(server, 'large-0')).length, [1])
  check('an older crate', (await fetchCrate(server, 'large-0', '1.0.0')).status, [200])
  check('the index of an uplink', (await readIndex(server, 'far')).length, [1])
  check('a crate of an uplink', (await fetchCrate(server, 'far', '1.0.0')).status, [200])
  rmSync(filler)
  check('a publish when there is room', await sendCrate(server, crateFile('roomy')), [200])
  check('its state', await publishedState(server, 'roomy', '1.0.0'), ['done'])
  return `after ${stored} publishes, and 5 that were refused`
}

async function readOnly({ server, folder, check }: Stage): Promise<string> {
  execFileSync('mount', ['-o', 'remount,ro', folder])
  check('a publish', await sendCrate(server, crateFile('written')), [503, 507])
  check('an index', (await readIndex(server, 'roomy')).length, [1])
  check('a crate', (await fetchCrate(server, 'roomy', '1.0.0')).status, [200])
  execFileSync('mount', ['-o', 'remount,rw', folder])
  check('a publish when it can be written again', await sendCrate(server, crateFile('written')), [200])
  return 'remounted, and back'
}

async function withoutDescriptors({ server, uplink, disk, check }: Stage): Promise<string> {
  check('the first publish', await sendCrate(server, crateFile('hosted')), [200])
  // From now on there is more of that name elsewhere.
  uplink.publish(crateFile('hosted', '99.0.0'))
  // The process is new, and knows nothing that it could answer from memory.
  await server.restart()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = (path: string, method = 'GET', body?: Buffer) =>
    askOver(agent, server, { path, method, ...(body && { body }) })
  check('an answer before', await ask('/config.json'), [200])
  const open = readdirSync(`/proc/${server.pid()}/fd`).length
  limitDescriptors(server, open - 2)
  check('an index', await ask(`/${indexPath('hosted')}`), disk.starved)
  check('a crate', await ask(downloadPath('hosted', '1.0.0')), disk.starved)
  check('a publish', await ask('/api/v1/crates/new', 'PUT', publishBody(crateFile('opened'))), disk.starved)
  limitDescriptors(server, 4096)
  agent.destroy()
  check('a publish later', await sendCrate(server, crateFile('opened', '1.1.0')), [200])
  check('an index later', (await readIndex(server, 'hosted')).length, [1])
  return `limited to ${open - 2}, of which all were open`
}

async function unreadable({ server, uplink, disk, check }: Stage): Promise<string> {
  await server.restart()
  // The thread that works on files is there from the first work on.
  await readIndex(server, 'roomy')
  const asked = () => uplink.requests.filter(({ path }) => path.includes('hosted')).length
  const before = asked()
  const end = await disk.failReads(server)
  const statuses: number[] = []
  for (const path of [
    `/${indexPath('hosted')}`,
    downloadPath('hosted', '1.0.0'),
    `/${indexPath('hosted')}`,
  ]) {
    const { status } = await fetch(server.url() + path)
    statuses.push(status)
    check(path, status, [503, 500])
  }
  await end()
  check('requests to the uplink', asked() - before, [0])
  const lines = await readIndex(server, 'hosted')
  check('versions later', typeof lines === 'string' ? lines : lines.map(({ vers }) => vers).join(), ['1.0.0'])
  return `answers of ${statuses.join(', ')}`
}

function cargoOf(uplink: Uplink): object {
  const rule = { publish: ['ann'], unpublish: ['ann'], proxy: 'up' }
  return {
    prefetch: 0,
    uplinks: { up: { url: uplink.index } },
    packages: { '**': rule },
    rate_limits: { publish: false, yank: false },
  }
}

async function smallDisk(context: Context): Promise<string> {
  const folder = join('/tmp', `cargo-disk-${process.pid}`)
  mkdirSync(folder)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'tmpfs', folder])
  context.after(async () => {
    execFileSync('umount', ['--lazy', folder])
    rmSync(folder, { recursive: true })
  })
  return folder
}

/** Takes what room there is. */
function fill(file: string): void {
  for (const size of [100_000, 4_096, 1]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: 'a' })
    } catch {
      // Full for this size.
    }
  }
}

function filesNamed(folder: string, prefix: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (it) => it.isFile() && it.name.startsWith(prefix),
  ).length
}

function limitDescriptors(server: KillableServer, limit: number): void {
  execFileSync('prlimit', ['--pid', `${server.pid()}`, `--nofile=${limit}:`])
}

/** The status of an answer over one connection that stays open. */
async function askOver(
  agent: Agent,
  server: KillableServer,
  { path, method, body }: { readonly path: string; readonly method: string; readonly body?: Buffer },
): Promise<number | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const headers = { authorization: server.token, ...(body && { 'content-length': body.length }) }
  request(server.url() + path, { agent, method, headers }, (response) => {
    text(response).then(() => resolve(response.statusCode), reject)
  })
    .on('error', reject)
    .end(body)
  return promise
}
