import assert from 'node:assert/strict'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { memoryStorage } from '../../src/hosts/memory.ts'
import { receiverOf } from '../../src/webhooks/delivery.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { makeCertificate } from '../support/certificate.ts'
import { eventually } from '../support/until.ts'
import { watchedStore } from '../support/watched-store.ts'
import { SECRET, startReceiver } from '../support/webhook-receiver.ts'
import { EVENT, FAST, openPostOffice } from './post-office.ts'

test('an event is sent once, signed, and forgotten', async (t) => {
  const receiver = await startReceiver(t)
  const headers = { Authorization: 'Bearer abc', 'Webhook-Id': 'mine', Host: 'elsewhere', 'X-Team': 'rust' }
  const office = openPostOffice(t, [{ url: receiver.url, secret: `whsec_${SECRET}`, headers }])
  office.note()
  await receiver.until(1)
  assert.ok(await eventually(async () => (await office.pending()).length === 0))
  const [message] = receiver.messages
  assert.deepEqual(message?.event, { type: 'crate.publish', timestamp: EVENT.at, data: { ...EVENT } })
  assert.equal(message?.isSigned, true)
  assert.match(message?.id ?? '', /^msg_[0-9a-f]{32}$/)
  const { authorization, host, 'x-team': team, 'content-type': type } = message?.headers ?? {}
  assert.deepEqual([authorization, team, type], ['Bearer abc', 'rust', 'application/json'])
  assert.equal(host, new URL(receiver.url).host)
  assert.deepEqual([office.outcomes, receiver.messages.length], [['delivered'], 1])
})

test('an event goes to those who want its kind and its crate', async (t) => {
  const [all, yanks, acme] = await Promise.all([startReceiver(t), startReceiver(t), startReceiver(t)])
  const office = openPostOffice(t, [
    { url: all.url },
    { url: yanks.url, events: ['yank', 'denied'] },
    { url: acme.url, crates: ['Acme-*'] },
  ])
  for (const kind of ['publish', 'yank', 'denied'] as const)
    for (const crate of ['foo', 'acme_log', 'ACME-x']) office.note({ kind, crate })
  assert.ok(await eventually(() => office.outcomes.length === 16))
  const told = ({ messages }: typeof all) =>
    messages.map(({ event: { data } }) => `${data['kind']} ${data['crate']}`).sort()
  assert.deepEqual(
    told(all),
    ['ACME-x', 'acme_log', 'foo'].flatMap((crate) => [`publish ${crate}`, `yank ${crate}`]).sort(),
  )
  assert.deepEqual(told(yanks), [
    'denied ACME-x',
    'denied acme_log',
    'denied foo',
    'yank ACME-x',
    'yank acme_log',
    'yank foo',
  ])
  assert.deepEqual(told(acme), ['publish ACME-x', 'publish acme_log', 'yank ACME-x', 'yank acme_log'])
})

test('a delivery that fails is tried again under the same id, with a signature of its own', async (t) => {
  const receiver = await startReceiver(t, (response, n) => response.writeHead(n < 3 ? 500 : 200).end())
  const office = openPostOffice(t, [{ url: receiver.url }])
  office.note()
  await receiver.until(3)
  assert.ok(await eventually(() => office.outcomes.length === 3))
  assert.deepEqual(office.outcomes, ['failed', 'failed', 'delivered'])
  assert.equal(new Set(receiver.messages.map(({ id, body }) => id + body)).size, 1)
  assert.ok(receiver.messages.every(({ isSigned }) => isSigned))
  assert.deepEqual(
    office.log.map(({ level, message }) => [level, message]),
    Array(2).fill(['warn', 'webhooks: not delivered yet']),
  )
})

test('a delivery that comes due while the clock is read is not forgotten', async (t) => {
  const receiver = await startReceiver(t, (response) => response.writeHead(500).end())
  let readings = 0
  const now = () => new Date(Date.now() + readings++)
  const office = openPostOffice(t, [{ url: receiver.url }], { now })
  for (let n = 1; n <= 20; n++) {
    office.note()
    assert.ok(await eventually(() => office.outcomes.length === 4 * n, 5_000), `delivery ${n}`)
  }
})

test('a receiver that takes all it may keeps the retries of nobody else waiting', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.after(() => void silent.close())
  const failing = await startReceiver(t, (response) => response.writeHead(500).end())
  const office = openPostOffice(t, [
    { url: `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`, timeout: '4s' },
    { url: failing.url },
  ])
  for (let n = 0; n < 6; n++) office.note()
  assert.ok(await eventually(() => failing.messages.length === 24, 3_000), String(failing.messages.length))
})

test('what never arrives becomes a dead letter with its last error', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  t.after(() => void silent.close())
  const target = await startReceiver(t)
  const answers: readonly (readonly [string, string | Promise<string>])[] = [
    [
      'answers 503',
      startReceiver(t, (r) => r.writeHead(503).end('x'.repeat(200_000))).then(({ url }) => url),
    ],
    [
      'answers 302, and redirects are not followed',
      startReceiver(t, (r) => r.writeHead(302, { location: target.url }).end()).then(({ url }) => url),
    ],
    ['refuses connections', 'http://127.0.0.1:1/'],
    ['does not answer in time', `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`],
    ['breaks the connection (UND_ERR_SOCKET)', startReceiver(t, (r) => r.destroy()).then(({ url }) => url)],
  ]
  for (const [error, at] of answers) {
    const url = await at
    const office = openPostOffice(t, [{ url, timeout: '200ms' }])
    office.note({ kind: 'yank' })
    assert.ok(await eventually(() => office.outcomes.includes('dead')), error)
    assert.deepEqual(office.outcomes, ['failed', 'failed', 'failed', 'dead'])
    const [key = ''] = await office.dead()
    assert.match(key, /^webhooks\/dead\/\d{4}-\d\d-\d\d\/msg_[0-9a-f]{32}\.json$/)
    assert.deepEqual(await office.pending(), [])
    const object = await office.storage.get(key)
    const letter = JSON.parse(String(object && (await buffer(object.body))))
    assert.deepEqual([letter.error, letter.attempts, letter.event.kind], [error, 4, 'yank'])
    const { level, fields } = office.log.at(-1) ?? assert.fail()
    assert.equal(level, 'error')
    assert.match(JSON.stringify(fields), new RegExp(`"to":"${new URL(url).origin}"`))
    await office.close()
  }
  assert.deepEqual(target.messages, [])
})

test('410 Gone ends it at once, Retry-After is obeyed, a body without an end is no failure', async (t) => {
  const gone = await startReceiver(t, (response) => response.writeHead(410).end())
  const first = openPostOffice(t, [{ url: gone.url }])
  first.note()
  assert.ok(await eventually(() => first.outcomes.length > 0))
  assert.deepEqual([first.outcomes, gone.messages.length], [['dead'], 1])

  const busy = await startReceiver(t, (response, n) =>
    n === 1 ? response.writeHead(429, { 'retry-after': '1' }).end() : response.writeHead(200).end(),
  )
  const second = openPostOffice(t, [{ url: busy.url }])
  second.note()
  await busy.until(1)
  const before = performance.now()
  await busy.until(2)
  assert.ok(performance.now() - before > 900)

  const endless = await startReceiver(t, (response) => response.writeHead(200).write('…'))
  const third = openPostOffice(t, [{ url: endless.url, timeout: '200ms' }])
  third.note()
  assert.ok(await eventually(() => third.outcomes.length > 0))
  assert.deepEqual(third.outcomes, ['delivered'])
})

test('a receiver has at most four deliveries at a time, and a slow one keeps nobody else waiting', async (t) => {
  const slow = await startReceiver(t, (response) => void setTimeout(() => response.end(), 100))
  const quick = await startReceiver(t)
  const office = openPostOffice(t, [{ url: slow.url }, { url: quick.url }])
  for (let n = 0; n < 20; n++) office.note({ version: `1.0.${n}` })
  await quick.until(20)
  assert.ok(slow.messages.length < 20)
  await slow.until(20)
  assert.deepEqual([slow.mostAtOnce(), quick.messages.length], [4, 20])
})

test('what has no room in memory waits in storage, but for what reads cause', async (t) => {
  let isOpen = false
  const receiver = await startReceiver(t, (response) => response.writeHead(isOpen ? 204 : 503).end())
  const retryDelays = Array(500).fill(20)
  const office = openPostOffice(t, [{ url: receiver.url }], {
    timing: { ...FAST, retryDelays, maxInMemory: 5 },
  })
  for (let n = 0; n < 20; n++) office.note({ version: `1.0.${n}` })
  office.note({ kind: 'integrity' })
  assert.ok(await eventually(async () => (await office.pending()).length === 20))
  isOpen = true
  assert.ok(await eventually(async () => (await office.pending()).length === 0))
  const delivered = new Set(receiver.messages.map(({ event }) => event.data['version']))
  assert.equal(delivered.size, 20)
  assert.equal(office.outcomes.filter((outcome) => outcome === 'lost').length, 1)
})

test('what a replica leaves at a stop is sent by the next one at once', async (t) => {
  const storage = memoryStorage()
  const away = await startReceiver(t, (response) => response.writeHead(500).end())
  const timing = { ...FAST, retryDelays: [600, 600], takeOverMs: 60_000 }
  const first = openPostOffice(t, [{ url: away.url }], { storage, timing })
  first.note()
  assert.ok(await eventually(() => first.outcomes.includes('failed')))
  await first.close()
  assert.equal((await first.pending()).length, 1)
  const second = openPostOffice(t, [{ url: away.url }], { storage, timing })
  assert.ok(await eventually(() => second.outcomes.includes('dead')))
  // One attempt of the first, and the two that were left.
  assert.deepEqual([away.messages.length, new Set(away.messages.map(({ id }) => id)).size], [3, 1])
})

test('a replica takes over what one left that is not heard of any more, and leaves alone one that lives', async (t) => {
  const storage = memoryStorage()
  const receiver = await startReceiver(t)
  const old = 'webhooks/pending/dead-replica'
  const living = openPostOffice(t, [{ url: receiver.url, events: ['yank'] }], {
    storage,
    timing: { ...FAST, retryDelays: [60_000] },
  })
  const broken = await startReceiver(t, (response) => response.writeHead(500).end())
  const other = openPostOffice(t, [{ url: broken.url }], {
    storage,
    timing: { ...FAST, retryDelays: [60_000] },
  })
  other.note()
  assert.ok(await eventually(() => other.outcomes.includes('failed')))
  const [kept = ''] = await other.pending()

  living.note({ kind: 'yank' })
  await receiver.until(1)
  const [{ id, body } = { id: '', body: '' }] = receiver.messages
  const event = JSON.parse(body).data
  const name = receiverOf(receiver.url)
  const letter = { schema: 1, id, receiver: name, to: 'x', event, attempts: 0, due: EVENT.at }
  await storage.put('webhooks/alive/dead-replica.json', Buffer.from('{}'))
  await storage.put(`${old}+${name}+${id}.json`, Buffer.from(JSON.stringify(letter)))
  // Of another mount on this store: not ours to judge.
  await storage.put(
    `${old}+0123456789abcdef+${id}.json`,
    Buffer.from(JSON.stringify({ ...letter, receiver: '0123456789abcdef' })),
  )
  await receiver.until(2)
  assert.deepEqual(
    receiver.messages.map((message) => message.id),
    [id, id],
  )
  const left = [kept, `${old}+0123456789abcdef+${id}.json`].sort()
  assert.ok(await eventually(async () => (await living.pending()).length === 2))
  assert.deepEqual(await living.pending(), left)
  assert.equal(broken.messages.length, 1)
})

test('a delivery to a receiver that is gone for a day becomes a dead letter', async (t) => {
  const receiver = await startReceiver(t)
  const storage = memoryStorage()
  const id = 'msg_000000000001aaaaaaaaaaaaaaaaaaaa'
  const letter = {
    id,
    receiver: 'gone',
    to: 'https://gone.example',
    event: EVENT,
    attempts: 1,
    due: EVENT.at,
  }
  await storage.put(`webhooks/pending/someone+gone+${id}.json`, Buffer.from(JSON.stringify(letter)))
  await storage.put(`webhooks/pending/someone+gone+${id.replace('1a', '1b')}.json`, Buffer.from('damaged'))
  const office = openPostOffice(t, [{ url: receiver.url }], { storage })
  assert.ok(await eventually(async () => (await office.pending()).length === 0))
  const [key = '', ...more] = await office.dead()
  assert.deepEqual(more, [])
  const object = await storage.get(key)
  assert.match(
    String(object && (await buffer(object.body))),
    /"error":"is no webhook of the options any more"/,
  )
  assert.deepEqual(
    office.log.map(({ message }) => message),
    ['integrity: a pending webhook delivery is damaged, and given up'],
  )
})

test('events are delivered while storage is away', async (t) => {
  const receiver = await startReceiver(t)
  const storage = watchedStore()
  const office = openPostOffice(t, [{ url: receiver.url }], { storage })
  storage.away(true)
  office.note()
  await receiver.until(1)
  assert.ok(await eventually(() => office.outcomes.includes('delivered')))
  storage.away(false)
  office.note({ version: '2.0.0' })
  await receiver.until(2)
  assert.ok(await eventually(async () => (await office.pending()).length === 0))
})

test('the secret, the URL and the headers are neither stored nor logged', async (t) => {
  const receiver = await startReceiver(t, (response) => response.writeHead(400).end())
  const url = `${receiver.url}/path-key?key=query-key`
  const office = openPostOffice(t, [{ url, headers: { authorization: 'Bearer header-key' } }])
  office.note()
  assert.ok(await eventually(() => office.outcomes.includes('dead')))
  const stored: string[] = []
  for await (const { key } of office.storage.list('')) {
    const object = await office.storage.get(key)
    stored.push(key, String(object && (await buffer(object.body))))
  }
  const all = `${stored.join('\n')}\n${JSON.stringify(office.log)}`
  assert.match(all, /answers 400/)
  for (const secret of [SECRET, SECRET.slice(0, 20), 'path-key', 'query-key', 'header-key'])
    assert.ok(!all.includes(secret), secret)
})

test('a receiver over https is trusted by `ca`, or when `strict_ssl` is off', async (t) => {
  const { cert, key, certFile } = await makeCertificate(await temporaryFolder(t))
  const plain = await startReceiver(t)
  let asked = 0
  const secure = createSecureServer({ cert, key }, (request, response) => {
    asked += 1
    request.resume().on('end', () => response.writeHead(204).end())
  })
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve))
  t.after(() => void secure.close().closeAllConnections())
  const url = `https://127.0.0.1:${(secure.address() as AddressInfo).port}/`
  for (const [options, outcome] of [
    [{}, 'failed'],
    [{ ca: certFile }, 'delivered'],
    [{ strict_ssl: false }, 'delivered'],
  ] as const) {
    const office = openPostOffice(t, [{ url, ...options }])
    office.note()
    assert.ok(await eventually(() => office.outcomes.length > 0))
    assert.equal(office.outcomes[0], outcome)
    await office.close()
  }
  assert.equal(asked, 2)
  assert.throws(
    () => openPostOffice(t, [{ url: plain.url, ca: 'no-such-file' }]),
    /`webhooks\.0\.ca`: cannot read/,
  )
})
