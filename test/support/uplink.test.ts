import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { assertRun } from './bench.ts'
import { cargoHome, project, temporaryFolder } from './cargo.ts'
import { crateFile } from './crate-file.ts'
import { generatedWorkspace } from './generated-workspace.ts'
import { getOverHttp2, getRaw } from './raw-client.ts'
import { startUplink, type Uplink, type UplinkSpec } from './uplink.ts'
import { CRATE_FAULTS, INDEX_FAULTS } from './uplink-fault-cases.ts'
import type { Fault } from './uplink-faults.ts'

const WORKSPACE = generatedWorkspace()
const INDEX_FILES = /^\/index\/(?!config)/
const CRATES = /^\/crates\//
/** What nobody waits for. */
const NEVER_ENDS: ReadonlySet<string> = new Set(['silent', 'drip'])

for (const h2 of [false, true]) {
  test(`real cargo takes the generated workspace from an uplink over ${h2 ? 'HTTP/2' : 'http'}`, async (t) => {
    const uplink = await startUplink(t, { crates: WORKSPACE.crates, h2, gzip: h2 })
    const { ca } = uplink
    const home = await cargoHome(t, {
      registries: {},
      cratesIo: uplink.index,
      ...(ca !== undefined && { ca }),
    })
    const cwd = await project(await temporaryFolder(t), { manifest: WORKSPACE.manifest })
    assertRun(await home.cargo(['fetch'], { cwd }), 0)
    const lock = await readFile(join(cwd, 'Cargo.lock'), 'utf8')
    const locked = lock.match(/^checksum = /gm)?.length ?? 0
    assert.ok(WORKSPACE.locked >= 150 && WORKSPACE.direct.length <= 10)
    assert.ok(locked >= WORKSPACE.locked, `${locked} crates`)
    assert.equal(uplink.hits(CRATES), locked)
    const named = new Set(lock.match(/(?<=^name = ").*(?="$)/gm))
    assert.ok(uplink.hits(INDEX_FILES) >= named.size - 1)
    if (!h2) assertRun(await home.cargo(['check', '--offline', '--locked'], { cwd }), 0)
  })
}

test('generatedWorkspace() is the same for the same seed, and another for another', () => {
  const sums = (seed: number) => generatedWorkspace(seed).crates.map(({ cksum }) => cksum)
  const expected = WORKSPACE.crates.map(({ cksum }) => cksum)
  assert.deepEqual(sums(1), expected)
  assert.notDeepEqual(sums(2), expected)
})

test('startUplink() answers conditional requests by the tag, else by the date', async (t) => {
  const uplink = await start(t)
  const file = uplink.origin + uplink.indexPath('foo')
  const { headers } = await fetch(file)
  const etag = headers.get('etag') ?? ''
  const modified = headers.get('last-modified') ?? ''
  const status = async (more: Record<string, string>) => (await fetch(file, { headers: more })).status
  assert.equal(await status({ 'if-none-match': etag }), 304)
  assert.equal(await status({ 'if-modified-since': modified }), 304)
  assert.equal(await status({ 'if-none-match': '"other"', 'if-modified-since': modified }), 200)
  uplink.publish(crateFile('foo', '3.0.0'))
  assert.equal(await status({ 'if-none-match': etag }), 200)
  assert.equal(await status({ 'if-modified-since': modified }), 200)
})

test('startUplink() lets versions be yanked, taken out of the index and taken away', async (t) => {
  const uplink = await start(t)
  const crate = uplink.origin + uplink.cratePath('foo', '1.0.0')
  uplink.yank('foo', '1.0.0')
  assert.match(await (await fetch(uplink.origin + uplink.indexPath('foo'))).text(), /1\.0\.0.*"yanked":true/)
  uplink.remove('foo', '1.0.0')
  assert.doesNotMatch(await (await fetch(uplink.origin + uplink.indexPath('foo'))).text(), /1\.0\.0/)
  assert.equal((await fetch(crate)).status, 200)
  uplink.remove('foo', '2.0.0', 'bytes')
  assert.equal((await fetch(uplink.origin + uplink.indexPath('foo'))).status, 404)
})

test('startUplink() follows any template of `dl`, asks for its token, and searches', async (t) => {
  const dl = '{origin}/f/{lowerprefix}/{crate}-{version}.crate?sum={sha256-checksum}'
  const uplink = await start(t, { dl, authRequired: 'secret', api: true })
  const headers = { authorization: 'secret' }
  assert.equal((await fetch(`${uplink.url}config.json`)).status, 401)
  const path = uplink.cratePath('foo', '1.0.0')
  assert.match(path, /^\/f\/3\/f\/foo-1\.0\.0\.crate\?sum=[0-9a-f]{64}$/)
  assert.equal((await fetch(uplink.origin + path, { headers })).status, 200)
  const found = await fetch(`${uplink.origin}/api/v1/crates?q=fo&per_page=5`, { headers })
  const { crates, meta } = (await found.json()) as { crates: { name: string }[]; meta: { total: number } }
  assert.deepEqual([crates.map(({ name }) => name), meta.total], [['foo'], 1])
})

test('startUplink() stops, and starts again at the same address', async (t) => {
  const uplink = await start(t)
  await uplink.stop()
  await assert.rejects(fetch(uplink.url))
  assert.equal(uplink.connections(), 0)
  await uplink.start()
  assert.equal((await fetch(`${uplink.url}config.json`)).status, 200)
})

test('startUplink() delays by one time what is asked on an open connection, by two what opens it', async (t) => {
  const uplink = await start(t, { latencyMs: 100 })
  const took = async () => {
    const began = performance.now()
    await (await fetch(`${uplink.url}config.json`)).text()
    return performance.now() - began
  }
  const [first, second] = [await took(), await took()]
  assert.ok(first >= 195 && second >= 95, `${first}, ${second}`)
})

test('hold() lets requests wait', async (t) => {
  const uplink = await start(t)
  const release = uplink.hold(CRATES)
  const asked = [1, 2, 3].map(() => fetch(uplink.origin + uplink.cratePath('foo', '1.0.0')))
  while (uplink.hits(CRATES) < 3) await new Promise(setImmediate)
  assert.ok(uplink.requests.every(({ ended }) => ended === undefined))
  release()
  for (const answer of asked) assert.equal((await answer).status, 200)
})

for (const h2 of [false, true]) {
  test(`fault() spoils answers over ${h2 ? 'HTTP/2' : 'http'} in each of its ways, and no others`, async (t) => {
    const uplink = await start(t, { h2 })
    const cases = {
      [uplink.indexPath('foo')]: INDEX_FAULTS,
      [uplink.cratePath('foo', '1.0.0')]: CRATE_FAULTS,
    }
    for (const [path, faults] of Object.entries(cases)) {
      const whole = await get(uplink, path)
      for (const { fault, right } of faults) {
        uplink.fault(path, fault, 1)
        const answer = await get(
          uplink,
          path,
          NEVER_ENDS.has(fault.mode) && right !== 'always' ? 300 : undefined,
        )
        if (right === 'always') assert.equal(answer, whole, fault.mode)
        // The bytes are right, only the frame around them is not, or is another one.
        else if (right === 'never') assert.notEqual(answer, whole, fault.mode)
        assert.equal(await get(uplink, path), whole, `after ${fault.mode}`)
      }
    }
  })
}

test('fault() sends what it is told to', async (t) => {
  const uplink = await start(t)
  const path = uplink.indexPath('foo')
  const under = async (fault: Fault) => {
    uplink.fault(path, fault, 1)
    return fetch(uplink.origin + path, { redirect: 'manual' })
  }
  const text = await (await fetch(uplink.origin + path)).text()
  assert.equal(await (await under({ mode: 'clean-cut', at: 50 })).text(), text.slice(0, 50))
  assert.equal(await (await under('crlf')).text(), text.replaceAll('\n', '\r\n'))
  assert.equal((await under({ mode: '429', retryAfter: 3 })).headers.get('retry-after'), '3')
  assert.equal(
    (await under({ mode: '307', location: 'http://a.invalid/' })).headers.get('location'),
    'http://a.invalid/',
  )
  const old = await under('old-index')
  assert.equal(await old.text(), `${text.split('\n')[0]}\n`)
  assert.ok(Date.parse(old.headers.get('last-modified') ?? '') < Date.parse('2026-01-01'))
  assert.equal((await (await under({ mode: 'gz-bomb', bytes: 2 ** 21 })).arrayBuffer()).byteLength, 2 ** 21)
  const redirected = await under('302')
  assert.equal(await (await fetch(redirected.headers.get('location') ?? '')).text(), text)
})

function start(t: TestContext, spec: UplinkSpec = {}): Promise<Uplink> {
  const fill = Buffer.alloc(20_000, 'x')
  const crates = ['1.0.0', '2.0.0'].map((it) => crateFile('foo', it).add(`foo-${it}/data`, fill))
  return startUplink(t, { crates, ...spec })
}

function get({ ca, origin }: Uplink, path: string, patience?: number): Promise<string> {
  return ca === undefined ? getRaw(origin + path, patience) : getOverHttp2(origin + path, patience)
}
