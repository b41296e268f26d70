import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { IndexConflictError, nextCopy, type UpstreamCopy } from '../../src/protocol/upstream-copy.ts'
import type { Uplink as Client } from '../../src/uplinks/uplink.ts'
import { UplinkError } from '../../src/uplinks/uplink-error.ts'
import { crateFile } from '../support/crate-file.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'
import { eventually } from '../support/until.ts'
import { startUplink, type Uplink } from '../support/uplink.ts'
import { CRATE_FAULTS, type FaultCase, INDEX_FAULTS } from '../support/uplink-fault-cases.ts'
import type { FaultMode } from '../support/uplink-faults.ts'
import { CONFIG, clientOf } from './clients.ts'

const NOW = new Date('2026-06-01T00:00:00Z')

const LANES = 4
const VERSIONS = ['1.0.0', '1.1.0', '2.0.0']

/** Faults that end alike, whatever was asked for. */
const ENDS: Partial<Record<FaultMode['mode'], readonly string[]>> = {
  ok: ['right'],
  delay: ['right'],
  drip: ['right', 'away'],
  silent: ['away'],
  'hang-up': ['away', 'cut'],
  'reset-at': ['cut'],
  'short-CL': ['cut'],
  'chunk-noend': ['cut'],
  'gz-garbage': ['foreign'],
  'gz-bomb': ['foreign'],
  'n-encodings': ['foreign'],
  huge: ['foreign'],
  'redirect-loop': ['foreign'],
  ...all(['204', '206', '304', '400', '401', '403'], 'foreign'),
  ...all(['301', '302', '303', '307', '308'], 'right'),
  ...all(['404', '410', '451'], 'absent'),
  429: ['limited'],
  ...all(['500', '502', '503'], 'away'),
}

/** What a body says is judged by who knows what was there before. */
const INDEX_ENDS: typeof ENDS = {
  ...ENDS,
  ...all(['clean-cut', 'extra-bytes', 'html200', 'empty200', 'json-error-200', 'wrong-crate'], 'invalid'),
  ...all(['dup-line', 'foreign-lines', 'bom', 'no-final-newline'], 'invalid'),
  'long-CL': ['invalid', 'cut', 'vanished'],
  'flip-byte': ['invalid', 'vanished', 'checksum_changed', 'other'],
  'old-index': ['older'],
  'removed-line': ['vanished'],
  'changed-cksum': ['checksum_changed'],
  // Valid, and kept as it came.
  crlf: ['other'],
}

/** The checksum of a crate is looked at by who stores it. */
const CRATE_ENDS: typeof ENDS = {
  ...ENDS,
  ...all(['clean-cut', 'extra-bytes', 'html200', 'empty200', 'json-error-200', 'wrong-crate'], 'other'),
  ...all(['flip-byte', 'gz-garbage', 'gz-bomb', 'n-encodings'], 'other'),
  'long-CL': ['cut', 'other'],
  're-encoded': ['right', 'other'],
}

/** There is no registry without one, whatever its absence is called. */
const CONFIG_ENDS: typeof ENDS = {
  ...ENDS,
  ...all(
    ['clean-cut', 'extra-bytes', 'html200', 'empty200', 'json-error-200', '404', '410', '451'],
    'foreign',
  ),
  'long-CL': ['foreign', 'cut'],
}

/** To undici a stream that is reset by CANCEL has ended; what it lacks has to be seen by what is there. */
const HTTP2_ENDS: typeof ENDS = { 'chunk-noend': ['right', 'cut', 'invalid', 'other'] }

function all(modes: readonly FaultMode['mode'][], end: string): typeof ENDS {
  return Object.fromEntries(modes.map((mode) => [mode, [end]]))
}

/** A crate for each fault, all on one uplink; clients that lose patience soon. */
async function start(t: TestContext, cases: readonly FaultCase[], h2: boolean) {
  const filler = randomBytesFrom(randomFrom(7), 20_000)
  const names = cases.map((_, i) => `crate-${i}`)
  const files = names.flatMap((name) =>
    VERSIONS.map((version) => crateFile(name, version).add(`${name}-${version}/data`, filler)),
  )
  const server = await startUplink(t, { crates: files, h2 })
  const rejections: unknown[] = []
  const listener = (reason: unknown) => void rejections.push(reason)
  process.on('unhandledRejection', listener)
  t.after(() => process.off('unhandledRejection', listener))
  const client = () =>
    clientOf(t, server.url, {
      timeout: h2 ? '1s' : '600ms',
      max_fails: 0,
      ...(server.ca !== undefined && { ca: server.ca }),
    })
  // What the process opens once for all, it has open now.
  const first = client()
  await first.index(names[0] ?? '')
  await first.close()
  const before = await descriptors(server)
  return {
    server,
    names,
    client,
    /** Everything that was opened is closed, and nothing failed unheard. */
    async isClean() {
      assert.ok(await eventually(() => server.connections() === 0), `${server.connections()} connections`)
      assert.equal(await descriptors(server), before)
      assert.deepEqual(rejections, [])
    },
  }
}

async function descriptors(server: Uplink): Promise<number> {
  await eventually(() => server.connections() === 0)
  return readdirSync('/proc/self/fd').length
}

/** How a question ended, in a word, within 3 s. */
async function endOf(ask: () => Promise<string>): Promise<string> {
  const began = performance.now()
  try {
    return await ask()
  } catch (error) {
    if (error instanceof UplinkError) return error.fault
    if (error instanceof IndexConflictError) return error.conflict
    if (error instanceof Error && 'code' in error && error.code === 'not_found') return 'absent'
    throw error
  } finally {
    assert.ok(performance.now() - began < 3_000)
  }
}

async function indexEnd(client: Client, name: string, before: UpstreamCopy): Promise<string> {
  const answer = await client.index(name)
  if (answer.kind !== 'changed') return answer.kind
  const { kind: _, ...fetched } = answer
  const { body } = nextCopy(name, before, fetched, NOW)
  return body.equals(before.body) ? 'right' : 'other'
}

async function crateEnd(client: Client, name: string, bytes: Buffer): Promise<string> {
  const cksum = createHash('sha256').update(bytes).digest('hex')
  const { body } = await client.crate({ name, version: '1.0.0', cksum })
  return (await buffer(body)).equals(bytes) ? 'right' : 'other'
}

async function bytesAt(client: Client, name: string): Promise<Buffer> {
  const { body } = await client.crate({ name, version: '1.0.0', cksum: '' })
  return buffer(body)
}

/** Runs every case by itself, a few at a time, and compares their ends. */
async function check(
  cases: readonly FaultCase[],
  wanted: typeof ENDS,
  run: (n: number) => Promise<string>,
  lanes = LANES,
) {
  const wrong: unknown[] = []
  const queue = cases.entries()
  const lane = async () => {
    for (const [n, { fault }] of queue) {
      const end = await endOf(() => run(n))
      if (!wanted[fault.mode]?.includes(end)) wrong.push({ fault, end })
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  assert.deepEqual(wrong, [])
}

/** What HTTP/2 frames otherwise; handshakes are dear. */
const FRAMING: readonly FaultMode['mode'][] = [
  ...(['ok', 'drip', 'silent', 'hang-up', 'reset-at', 'short-CL', 'long-CL', 'chunk-noend'] as const),
  ...(['gz-garbage', 'gz-bomb', 'huge', '302', '304', '404', '429', '500'] as const),
]

for (const h2 of [false, true]) {
  const over = h2 ? 'HTTP/2' : 'http'
  const of = (cases: readonly FaultCase[]) =>
    h2 ? cases.filter(({ fault }) => FRAMING.includes(fault.mode)) : cases

  test(`index() ends as it should over ${over} when its file is spoiled in each way`, async (t) => {
    const cases = of(INDEX_FAULTS)
    const { server, names, client, isClean } = await start(t, cases, h2)
    const sound = client()
    const copies = await Promise.all(
      names.map(async (name) => {
        const answer = await sound.index(name)
        assert.ok(answer.kind === 'changed')
        return nextCopy(name, undefined, answer, NOW)
      }),
    )
    await sound.close()
    await check(cases, h2 ? { ...INDEX_ENDS, ...HTTP2_ENDS } : INDEX_ENDS, async (n) => {
      const { fault } = cases[n] ?? assert.fail()
      server.fault(server.indexPath(names[n] ?? ''), fault)
      return closing(client(), (one) => indexEnd(one, names[n] ?? '', copies[n] ?? assert.fail()))
    })
    await isClean()
  })

  test(`crate() ends as it should over ${over} when its file is spoiled in each way`, async (t) => {
    const cases = of(CRATE_FAULTS)
    const { server, names, client, isClean } = await start(t, cases, h2)
    const sound = client()
    const files = await Promise.all(names.map((name) => bytesAt(sound, name)))
    await sound.close()
    await check(cases, h2 ? { ...CRATE_ENDS, ...HTTP2_ENDS } : CRATE_ENDS, async (n) => {
      const { fault } = cases[n] ?? assert.fail()
      server.fault(server.cratePath(names[n] ?? '', '1.0.0'), fault)
      return closing(client(), (one) => crateEnd(one, names[n] ?? '', files[n] ?? assert.fail()))
    })
    await isClean()
  })
}

test('crate() ends as it should when config.json is spoiled in each way', async (t) => {
  const cases = CRATE_FAULTS.filter(({ fault }) => fault.mode in CONFIG_ENDS)
  const { server, names, client, isClean } = await start(t, cases.slice(0, 1), false)
  const sound = client()
  const bytes = await bytesAt(sound, names[0] ?? '')
  await sound.close()
  await check(
    cases,
    CONFIG_ENDS,
    (n) => {
      server.fault(CONFIG, cases[n]?.fault ?? 'ok')
      return closing(client(), (one) => crateEnd(one, names[0] ?? '', bytes))
    },
    1,
  )
  await isClean()
})

async function closing<T>(client: Client, use: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}
