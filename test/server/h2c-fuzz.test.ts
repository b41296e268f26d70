import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Holdings,
  PUBLISH_TOKEN,
  type RegistryProcess,
  startRegistryProcess,
} from '../bar/registry-process.ts'
import { crateFile, publishBody } from '../support/crate-file.ts'
import { type FuzzCase, fuzzCase } from './h2c-cases.ts'
import { GUEST_TOKEN } from './h2c-frames.ts'

const CASES = 2400
/** Looked at in between, and for the memory that comes back. */
const ROUND = 400
const AT_ONCE = 12
const FIRST_SEED = 1
/** Longest wait for a first answer and for more of it, before a client leaves, in milliseconds. */
const ANSWER_MS = 250
const GUEST = { token_sha256: createHash('sha256').update(GUEST_TOKEN).digest('hex'), user: 'guest' }
const SETTINGS = {
  auth: { tokens: [{ token_env: 'BAR_TOKEN', user: 'bar' }, GUEST] },
  h2c: true,
  client_header_timeout: '1s',
  keepalive_timeout: '1s',
  send_timeout: '2s',
}
/** For a server that closes what stays open, on a machine with other things to do. */
const PATIENCE_MS = 20_000
const MAX_TURN_MS = 100
const MiB = 1024 * 1024
const MAX_GROWTH = 64 * MiB
const SECRET = 'nobody-else-may-read-this'

test('no client that breaks its word stops, stalls or fills a server that takes `Upgrade: h2c`', async (t) => {
  const hidden = { access: ['bar'], publish: ['bar'] }
  const packages = { 'acme-*': hidden, '**': { access: '$all', publish: '$authenticated' } }
  const server = await startRegistryProcess(t, { uplinks: {}, packages }, { server: SETTINGS })
  await publishSecret(server)
  // The publish cleans up behind its answer.
  await settled(server, ({ temporary }) => temporary === 0)
  const before = server.holdings()
  const began = Date.now()
  const answered = { upgraded: 0, plain: 0, refused: 0 }
  const memory: number[] = []
  for (let seed = FIRST_SEED; seed < FIRST_SEED + CASES; seed += ROUND) {
    const cases = Array.from({ length: ROUND }, (_, nth) => fuzzCase(seed + nth))
    await inParallel(cases, async (one) => {
      const got = await play(server, one)
      assert.ok(!got.includes(SECRET), `seed ${one.seed} was told the secret`)
      if (got.startsWith('HTTP/1.1 101 ')) answered.upgraded += 1
      else if (/^HTTP\/1\.1 [2345]/.test(got)) answered.plain += 1
      else answered.refused += 1
    })
    assert.ok(
      server.isRunning(),
      `one of the seeds from ${seed} on ended it: ${(await logOf(server)).slice(-8)}`,
    )
    const headers = { authorization: GUEST_TOKEN }
    assert.equal((await fetch(`${server.url}/config.json`, { headers })).status, 200)
    memory.push(server.memory())
  }
  assert.ok(answered.upgraded > CASES / 4 && answered.plain > CASES / 10, JSON.stringify(answered))
  await settled(server, ({ sockets }) => sockets <= before.sockets)
  // Fewer than before when the connection of the publish was closed meanwhile.
  for (const [what, held] of Object.entries(server.holdings()))
    assert.ok(held <= before[what as keyof typeof before], `${held} ${what}`)
  assert.ok(server.longestTurn(began) <= MAX_TURN_MS, `a turn of ${server.longestTurn(began)} ms`)
  const [warm = 0] = memory
  assert.ok(server.memory() - warm < MAX_GROWTH, `MiB: ${memory.map((it) => Math.round(it / MiB))}`)
  const log = await logOf(server)
  assert.deepEqual(
    log.filter((line) => !/"level":(20|30|40)\b/.test(line)),
    [],
  )
})

async function logOf({ folder }: RegistryProcess): Promise<readonly string[]> {
  return (await readFile(join(folder, 'log'), 'utf8')).trim().split('\n')
}

async function publishSecret({ url }: RegistryProcess): Promise<void> {
  const crate = crateFile('acme-secret', '1.0.0').package({ description: SECRET }).feature(SECRET)
  const body = Buffer.from(publishBody(crate))
  const headers = { authorization: PUBLISH_TOKEN }
  const { status } = await fetch(`${url}/api/v1/crates/new`, { method: 'PUT', headers, body })
  assert.equal(status, 200)
  assert.equal((await fetch(`${url}/ac/me/acme-secret`, { headers })).status, 200)
  const guest = { authorization: GUEST_TOKEN }
  assert.equal((await fetch(`${url}/ac/me/acme-secret`, { headers: guest })).status, 404)
}

/** Everything that the server sent, until it or the client closed the connection. */
async function play(
  { url }: RegistryProcess,
  { seed, offer, after, waits, ends }: FuzzCase,
): Promise<string> {
  const socket = connect({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    noDelay: true,
    allowHalfOpen: true,
  })
  socket.on('error', () => {})
  let got = ''
  let arrived = () => {}
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1')
    arrived()
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const next = () =>
    Promise.race([closed, sleep(ANSWER_MS), new Promise<void>((resolve) => (arrived = resolve))])
  socket.once('end', () => socket.end())
  socket.write(offer)
  if (waits) await next()
  for (const piece of after) {
    if (socket.destroyed) break
    socket.write(piece)
    await new Promise(setImmediate)
  }
  if (ends === 'half-closes') socket.end()
  if (ends === 'stays') {
    const late = sleep(PATIENCE_MS, 'late', { ref: false })
    assert.notEqual(await Promise.race([closed, late]), 'late', `seed ${seed} stays open`)
  } else for (let length = -1; got.length > length && !socket.destroyed; await next()) length = got.length
  socket.destroy()
  return got
}

async function inParallel<T>(items: readonly T[], one: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items].reverse()
  const worker = async () => {
    for (let item = queue.pop(); item !== undefined; item = queue.pop()) await one(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

async function settled(server: RegistryProcess, isSettled: (holdings: Holdings) => boolean): Promise<void> {
  const until = Date.now() + PATIENCE_MS
  while (!isSettled(server.holdings()) && Date.now() < until) await sleep(100)
}
