import assert from 'node:assert/strict'
import type { RequestListener, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { type BodyLimits, openBody, readBody, tellsItsEnd } from '../../src/uplinks/body.ts'
import type { Answer } from '../../src/uplinks/exchange.ts'
import type { Fault } from '../../src/uplinks/uplink-error.ts'
import { randomBytesFrom, randomFrom } from '../support/random.ts'
import { eventually } from '../support/until.ts'
import { exchangeWith, listen } from './clients.ts'

const MiB = 2 ** 20
const TEXT = Buffer.from('an index file\n'.repeat(1000))
const NOISE = randomBytesFrom(randomFrom(1), 2 * MiB)
const LIMITS: BodyLimits = { maxBytes: 8 * MiB, paceWindow: 200 }

type Send = (response: ServerResponse) => void

const whole =
  (body: Buffer, encoding?: string): Send =>
  (response) => {
    response.writeHead(200, encoding === undefined ? {} : { 'content-encoding': encoding })
    response.end(body)
  }

async function answerOf(t: TestContext, send: Send) {
  const listener: RequestListener = (_, response) => send(response)
  const server = await listen(t, listener)
  const exchange = exchangeWith(t, server.origin)
  const ask = (): Promise<Answer> => exchange.ask(new URL(server.origin), { headers: {} })
  return { server, ask, answer: await ask() }
}

test('readBody() returns the decoded bytes when the answer is sound', async (t) => {
  const cases: readonly (readonly [string, Send])[] = [
    ['plain', whole(TEXT)],
    ['identity', whole(TEXT, 'identity')],
    ['gzip', whole(gzipSync(TEXT), 'gzip')],
    ['another spelling', whole(gzipSync(TEXT), ' X-GZIP ')],
    [
      'two members',
      whole(Buffer.concat([gzipSync(TEXT.subarray(0, 9)), gzipSync(TEXT.subarray(9))]), 'gzip'),
    ],
    [
      'steadily',
      (to) => void to.write(TEXT.subarray(0, 5000), () => setTimeout(() => to.end(TEXT.subarray(5000)), 50)),
    ],
  ]
  for (const [name, send] of cases) {
    const { answer } = await answerOf(t, send)
    assert.deepEqual((await readBody('up', answer, LIMITS)).bytes, TEXT, name)
  }
})

test('readBody() returns nothing when the body is empty', async (t) => {
  const { answer } = await answerOf(t, whole(Buffer.alloc(0)))
  assert.deepEqual(await readBody('up', answer, LIMITS), { bytes: Buffer.alloc(0) })
})

test('readBody() keeps a body as it came when that is one member of gzip', async (t) => {
  const [packed, half] = [gzipSync(TEXT), gzipSync(TEXT.subarray(0, 7000))]
  const cases: readonly (readonly [string, Buffer, Buffer | undefined])[] = [
    ['one member', packed, packed],
    ['two members', Buffer.concat([half, half]), undefined],
    ['an empty one behind', Buffer.concat([packed, gzipSync('')]), undefined],
    ['zeros behind', Buffer.concat([packed, Buffer.alloc(8)]), undefined],
    ['nothing', gzipSync(''), undefined],
    ['more than it was', gzipSync(TEXT.subarray(0, 9), { level: 0 }), undefined],
  ]
  for (const [name, body, kept] of cases) {
    const { answer } = await answerOf(t, whole(body, 'gzip'))
    assert.deepEqual((await readBody('up', answer, LIMITS)).packed, kept, name)
  }
})

test('readBody() keeps no more memory than the bytes need', async (t) => {
  const some = NOISE.subarray(0, 50_000)
  for (const [body, encoding] of [[some], [gzipSync(some), 'gzip'], [gzipSync(NOISE), 'gzip']] as const) {
    const { answer } = await answerOf(t, whole(body, encoding))
    const { length, buffer: memory } = (await readBody('up', answer, LIMITS)).bytes
    // Small ones share what Node allocates for several.
    assert.ok(
      memory.byteLength <= Math.max(length + 1, Buffer.poolSize),
      `${memory.byteLength} for ${length}`,
    )
  }
})

test('readBody() believes nothing that a packed body tells of its size', async (t) => {
  const packed = gzipSync(TEXT)
  for (const told of [0, 0xffffffff]) {
    // A member that is empty, but for what it tells, ends it.
    const last = gzipSync('')
    last.writeUInt32LE(told, last.length - 4)
    const { answer } = await answerOf(t, whole(Buffer.concat([packed, last]), 'gzip'))
    const reading = readBody('up', answer, LIMITS)
    if (told === 0) assert.deepEqual(await reading, { bytes: TEXT })
    else await assert.rejects(reading, { fault: 'foreign', message: /cannot be decoded/ })
  }
})

test('openBody() leaves the bytes alone however they are packed', async (t) => {
  for (const encoding of ['gzip', 'br', 'gzip, gzip']) {
    const { answer } = await answerOf(t, whole(TEXT, encoding))
    assert.deepEqual(await buffer(openBody('up', answer, LIMITS)), TEXT)
  }
})

test('readBody() takes as many bytes as are allowed', async (t) => {
  const { answer } = await answerOf(t, whole(TEXT))
  assert.deepEqual(await readBody('up', answer, { ...LIMITS, maxBytes: TEXT.length }), { bytes: TEXT })
})

/** Some of the body, and then what `how` does. */
const partly =
  (how: (response: ServerResponse) => void, headers: Readonly<Record<string, string>> = {}): Send =>
  (response) => {
    response.writeHead(200, headers)
    response.write(TEXT.subarray(0, 1000), () => how(response))
  }

const BAD: readonly (readonly [string, Send, Fault, RegExp])[] = [
  ['is cut', partly((to) => to.destroy(), { 'content-length': '14000' }), 'cut', /breaks|announced/],
  ['is reset', partly((to) => to.socket?.resetAndDestroy()), 'cut', /breaks the connection/],
  ['has no last chunk', partly((to) => to.socket?.destroySoon()), 'cut', /breaks the connection/],
  [
    'is broken from its start',
    (to) => void to.socket?.end('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nno chunk\r\n'),
    'cut',
    /does not speak HTTP/,
  ],
  ['is packed and cut', whole(gzipSync(TEXT).subarray(0, -20), 'gzip'), 'cut', /without its end/],
  ['is not packed', whole(TEXT, 'gzip'), 'foreign', /cannot be decoded/],
  [
    'has a wrong sum',
    whole(Buffer.concat([gzipSync(TEXT).subarray(0, -8), Buffer.alloc(8)]), 'gzip'),
    'foreign',
    /cannot be decoded/,
  ],
  [
    'goes on after its end',
    whole(Buffer.concat([gzipSync(TEXT), TEXT]), 'gzip'),
    'foreign',
    /cannot be decoded/,
  ],
  ['has an unknown encoding', whole(TEXT, 'br'), 'foreign', /in encoding `br`$/],
  [
    'has chained encodings',
    whole(gzipSync(gzipSync(TEXT)), 'gzip, gzip'),
    'foreign',
    /in encoding `gzip, gzip`$/,
  ],
  ['unpacks too far', whole(gzipSync(Buffer.alloc(7 * MiB)), 'gzip'), 'foreign', /unpacks too far$/],
  ['is too large', partly((to) => to.end(Buffer.alloc(9 * MiB))), 'foreign', /more than the 8388608 bytes/],
  ['is announced as too large', whole(Buffer.alloc(9 * MiB)), 'foreign', /more than the 8388608 bytes/],
  [
    'unpacks to too much',
    whole(gzipSync(Buffer.concat([NOISE, NOISE, NOISE, NOISE, NOISE])), 'gzip'),
    'foreign',
    /more than the/,
  ],
  ['stops', partly(() => undefined), 'away', /^uplink `up` sends too slowly$/],
  [
    'drips',
    (to) => {
      const timer = setInterval(() => to.write('x'), 10)
      to.on('close', () => clearInterval(timer))
    },
    'away',
    /^uplink `up` sends too slowly$/,
  ],
]

for (const [what, send, fault, message] of BAD) {
  test(`readBody() fails and ends the request when the body ${what}`, { timeout: 5000 }, async (t) => {
    const { server, answer } = await answerOf(t, send)
    const began = performance.now()
    await assert.rejects(readBodyOf(answer), { name: 'UplinkError', fault, message })
    assert.ok(performance.now() - began < 2000)
    // A sound one can be used again.
    assert.ok(await eventually(() => server.open === 0 || server.requests.every(({ complete }) => complete)))
    assert.ok(answer.body.destroyed || (await eventually(() => answer.body.destroyed)))
  })
}

/** What fails at once is a rejection too. */
async function readBodyOf(answer: Answer) {
  return readBody('up', answer, LIMITS)
}

test('readBody() stops early when a bomb unpacks', async (t) => {
  const bomb = gzipSync(Buffer.alloc(256 * MiB))
  const { answer } = await answerOf(t, whole(bomb, 'gzip'))
  const before = process.memoryUsage().rss
  const reading = readBody('up', answer, { ...LIMITS, maxBytes: 512 * MiB })
  await assert.rejects(reading, { fault: 'foreign', message: /unpacks too far/ })
  const grown = process.memoryUsage().rss - before
  assert.ok(grown < 128 * MiB, `${grown} bytes`)
})

test('openBody() blames nobody when its reader is slow', async (t) => {
  const { answer } = await answerOf(t, whole(NOISE))
  const body = openBody('up', answer, { ...LIMITS, paceWindow: 50 })
  await sleep(400)
  assert.deepEqual(await buffer(body), NOISE)
})

test('openBody() ends the request when its reader leaves', async (t) => {
  const open = new Set<ServerResponse>()
  const { server, ask, answer } = await answerOf(t, (to) => {
    open.add(to)
    to.on('close', () => open.delete(to))
    to.write(TEXT)
  })
  const patient = { ...LIMITS, paceWindow: 60_000 }
  const unread = openBody('up', answer, patient)
  unread.destroy()
  const begun = openBody('up', await ask(), patient)
  for await (const _ of begun) break
  const waiting = openBody('up', await ask(), patient)
  const reader = waiting[Symbol.asyncIterator]()
  await reader.next()
  const next = reader.next()
  // It waits for more, which does not come.
  await sleep(20)
  waiting.destroy()
  await assert.rejects(next, { name: 'UplinkError' })
  assert.ok(await eventually(() => open.size === 0 && server.open === 0))
})

test('openBody() tells how it ended once, and not that its reader left', async (t) => {
  const told: (string | undefined)[] = []
  const tell = (error?: Error) => void told.push(error && 'failed')
  const { answer, ask } = await answerOf(t, whole(NOISE))
  await buffer(openBody('up', answer, LIMITS, tell))
  assert.deepEqual(told, [undefined])
  await assert.rejects(buffer(openBody('up', await ask(), { ...LIMITS, maxBytes: 2 * MiB - 1 }, tell)))
  for await (const _ of openBody('up', await ask(), LIMITS, tell)) break
  const { answer: cut } = await answerOf(
    t,
    partly((to) => to.socket?.resetAndDestroy()),
  )
  await assert.rejects(buffer(openBody('up', cut, LIMITS, tell)), { fault: 'cut' })
  assert.deepEqual(told, [undefined, 'failed', 'failed'])
})

test('openBody() holds little of what a slow reader does not take', async (t) => {
  const { answer } = await answerOf(t, whole(Buffer.concat([NOISE, NOISE, NOISE])))
  const body = openBody('up', answer, LIMITS)
  await sleep(100)
  assert.ok(answer.body.isPaused())
  assert.ok(answer.body.readableLength <= 128 * 1024, String(answer.body.readableLength))
  assert.equal((await buffer(body)).length, 6 * MiB)
})

test('openBody() fails without noise when nobody reads it', async (t) => {
  const { answer } = await answerOf(
    t,
    partly((to) => to.socket?.resetAndDestroy()),
  )
  const body = openBody('up', answer, LIMITS)
  assert.ok(await eventually(() => answer.body.destroyed))
  await assert.rejects(buffer(body), { name: 'UplinkError', fault: 'cut' })
})

test('tellsItsEnd() is true when a cut would be seen', async (t) => {
  const closing: Send = (to) => {
    to.useChunkedEncodingByDefault = false
    to.writeHead(200, { connection: 'close' })
    to.end(TEXT)
  }
  for (const [send, told] of [
    [whole(TEXT), true],
    [partly((to) => to.end()), true],
    [whole(gzipSync(TEXT), 'gzip'), true],
    [closing, false],
  ] as const) {
    const { answer } = await answerOf(t, send)
    assert.equal(tellsItsEnd(answer), told)
    await answer.body.dump()
  }
})
