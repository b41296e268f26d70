import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseLines } from '../../src/protocol/index-lines.ts'
import { indexPath } from '../../src/protocol/name.ts'
import { downloadPath } from '../http/proxied.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { sha256 } from '../support/download.ts'
import { MUTATIONS, type MutatedPublish } from '../support/publish-mutations.ts'
import { between, randomFrom } from '../support/random.ts'
import { atMost, exactly, type Figure, note } from './figures.ts'
import { publishAgain, publishMutated, SEED, startPublishedRegistry, type Tally } from './publish-load.ts'
import { PUBLISH_TOKEN, type RegistryProcess } from './registry-process.ts'
import { resolveAll } from './resolve-all.ts'
import type { Context } from './storm-uplink.ts'

const MiB = 1024 * 1024
const MAX_STALL_MS = 100
/** V8 lets garbage stand until it is a few times what is held: a ceiling, however many bodies there are. */
const MAX_ADDED_MIB = 192
/**
 * What is held once garbage has been collected, over a registry that was sent what was taken and nothing else: versions
 * that are known are kept in memory, up to 128 MiB of them.
 */
const MAX_HELD_MIB = 4
const SAMPLE_MS = 100
const NEW = '/api/v1/crates/new'

/** Mutated publishes against a server of its own: refused or right, never a failure, and nothing left of the refused. */
export async function publishesFigures(
  context: Context,
  { bodies }: { readonly bodies: number },
): Promise<readonly Figure[]> {
  const registry = await startPublishedRegistry(context)
  await sleep(500)
  const watched = watcher(registry)
  const begun = performance.now()
  const tally = await publishMutated(registry, bodies)
  await cutShort(registry, Math.max(20, Math.round(bodies / 500)))
  const seconds = (performance.now() - begun) / 1000
  const { stall, added } = watched()
  const held = await registry.held()
  if (registry.longestTurn(0) === 0) throw new Error('the turns of the server were not watched')
  await sleep(300)
  const stored = await judgeStored(registry, tally.accepted)
  const control = await controlOf(context, registry, tally)
  const resolved = await resolveAll(context, registry, [...new Set(namesOf(tally.accepted))])
  const title = `${bodies.toLocaleString('en')} bodies`
  const count = (is: (status: number) => boolean) =>
    [...tally.statuses].filter(([status]) => is(status)).reduce((sum, [, n]) => sum + n, 0)
  return [
    note(`${title}: seed, kinds of mutation`, `${SEED}, ${MUTATIONS.length - 1}`),
    note(`${title}: answers`, renderStatuses(tally.statuses)),
    note(`${title}: accepted although mutated`, String(mutatedOf(tally.accepted))),
    exactly(
      `${title}: answers other than 200 and 4xx`,
      count((it) => it !== 200 && (it < 400 || it > 499)),
      0,
    ),
    exactly(`${title}: sound bodies refused`, tally.refusedControls, 0),
    exactly(`${title}: answers cut short`, tally.cut, 0),
    exactly(`${title}: crashes and unhandled rejections`, registry.isRunning() ? 0 : 1, 0),
    exactly(`${title}: index lines that are wrong, missing or were not acknowledged`, stored.wrong, 0),
    exactly(`${title}: stored files that no line names`, stored.orphans, 0),
    exactly(`${title}: crates that real cargo resolves of ${resolved.of}`, resolved.right, resolved.of),
    exactly(`${title}: temporary files left`, registry.holdings().temporary, 0),
    atMost(`${title}: longest stall`, stall, MAX_STALL_MS, 'ms'),
    atMost(`${title}: memory added at most`, added / MiB, MAX_ADDED_MIB, 'MiB'),
    note(`${title}: memory held`, mebibytes(held)),
    note(`${title}: memory held by one that was sent only what was taken`, mebibytes(control.held)),
    exactly(`${title}: of that, refused the second time`, control.refused, 0),
    atMost(`${title}: memory held for what was refused`, (held - control.held) / MiB, MAX_HELD_MIB, 'MiB'),
    note(`${title}: time`, `${seconds.toFixed(0)} s`),
  ]
}

/** Clients that leave in the middle. */
async function cutShort(registry: RegistryProcess, count: number): Promise<void> {
  const { hostname, port, pathname } = new URL(registry.url)
  const random = randomFrom(SEED)
  for (let n = 0; n < count; n++) {
    const body = publishBody(crateFile('cut', `1.0.${n}`))
    const head = [`PUT ${pathname}${NEW} HTTP/1.1`, 'Host: x', `Authorization: ${PUBLISH_TOKEN}`]
    await new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () => {
        socket.write(`${head.join('\r\n')}\r\nContent-Length: ${body.length}\r\n\r\n`)
        socket.write(body.subarray(0, between(random, 0, body.length)), () => socket.destroy())
      })
      socket.on('error', () => {})
      socket.once('close', () => resolve())
    })
  }
}

/** Every index file against what was acknowledged, and every stored file against the index. */
async function judgeStored(registry: RegistryProcess, accepted: ReadonlyMap<string, MutatedPublish>) {
  const data = join(registry.folder, 'data')
  const named = new Set<string>()
  let wrong = 0
  const lines = new Map<string, string>()
  for (const name of [...Array.from({ length: 64 }, (_, n) => `fuzz-${n}`), 'base', 'cut']) {
    const answer = await fetch(`${registry.url}/${indexPath(name)}`)
    if (answer.status !== 200) continue
    for (const entry of parseLines(await answer.text())) {
      named.add(entry.cksum)
      if (name !== 'base') lines.set(`${name}@${entry.vers}`, entry.cksum)
      if (entry.name !== name) wrong += 1
    }
  }
  for (const key of lines.keys()) if (!accepted.has(key)) wrong += 1
  for (const key of accepted.keys()) {
    const cksum = lines.get(key)
    const [name = '', version = ''] = key.split('@')
    const file = await fetch(registry.url + downloadPath(name, version))
    if (sha256(Buffer.from(await file.arrayBuffer())) !== cksum) wrong += 1
  }
  const blobs = readdirSync(join(data, 'blobs'), { recursive: true, withFileTypes: true })
  const orphans = blobs.filter((it) => it.isFile() && !named.has(it.name)).length
  return { wrong, orphans }
}

/** What a registry holds that is sent only what another one took. */
async function controlOf(context: Context, { url }: RegistryProcess, { accepted }: Tally) {
  const registry = await startPublishedRegistry(context, [url])
  const refused = await publishAgain(registry, accepted)
  const held = await registry.held()
  await registry.stop()
  return { refused, held }
}

/** The longest turn of the server's event loop, and the memory that it took beyond what it had. */
function watcher(registry: RegistryProcess) {
  const since = Date.now()
  const before = registry.memory()
  let peak = before
  const timer = setInterval(() => {
    peak = Math.max(peak, registry.memory())
  }, SAMPLE_MS)
  return () => {
    clearInterval(timer)
    return { stall: registry.longestTurn(since), added: peak - before }
  }
}

function mebibytes(bytes: number): string {
  return `${(bytes / MiB).toFixed(1)} MiB`
}

function namesOf(accepted: ReadonlyMap<string, unknown>): readonly string[] {
  return [...accepted.keys()].map((key) => key.split('@')[0] ?? '')
}

function mutatedOf(accepted: ReadonlyMap<string, MutatedPublish>): number {
  return [...accepted.values()].filter(({ mutation }) => mutation !== 'none').length
}

function renderStatuses(statuses: ReadonlyMap<number, number>): string {
  return [...statuses]
    .sort(([a], [b]) => a - b)
    .map(([status, count]) => `${count} × ${status}`)
    .join(', ')
}
