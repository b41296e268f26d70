import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { createAuth } from '../../../src/hosts/auth.ts'
import { fsStorage } from '../../../src/hosts/fs.ts'
import { memoryStorage } from '../../../src/hosts/memory.ts'
import type { OptionsInput } from '../../../src/options.ts'
import { type CrateFile, crateFile, publishBody } from '../../support/crate-file.ts'
import { until } from '../../support/until.ts'
import { startUplink } from '../../support/uplink.ts'
import { type Asked, counted, type Side, startSide, type Way } from './both-routes.ts'

const TOKEN = 'token-of-ann'
const OTHER = 'token-of-bob'
const GZIP = { 'accept-encoding': 'deflate, gzip' }
const LARGE_INDEX = Array.from({ length: 12 }, (_, i) => crateFile('acme-large', `1.${i}.0`))
const INDEX = '/ac/me/acme-large'
const DOWNLOAD = '/api/v1/crates/acme-large/1.0.0/download'
const LARGE_DOWNLOAD = '/api/v1/crates/acme-huge/1.0.0/download'
const PROXIED_DOWNLOAD = '/api/v1/crates/remote/1.0.0/download'

interface Pair {
  readonly fast: Side
  readonly ordinary: Side
}

/** Two registries over one store, with local crates, crates of an uplink, and crates that not everybody may read. */
async function startPair(
  t: Parameters<typeof startSide>[0],
  { login, past }: { readonly login: boolean; readonly past: Exclude<Way, 'neither'> },
): Promise<Pair> {
  const folder = await mkdtemp(join(tmpdir(), 'fast-path-'))
  const storage = fsStorage(folder)
  const uplink = await startUplink(t, { crates: [crateFile('remote', '1.0.0')] })
  const auth = createAuth({
    staticTokens: [
      { token: TOKEN, user: 'ann' },
      { token: OTHER, user: 'bob' },
    ],
  })
  const options: OptionsInput = {
    uplinks: { up: { url: uplink.url, maxage: '1h' } },
    prefetch: 0,
    packages: {
      ...(login && { 'acme-secret': { access: 'ann', publish: 'ann' } }),
      'acme-*': { access: '$all', publish: 'ann' },
      '**': { access: '$all', publish: 'ann', proxy: 'up' },
    },
  }
  const spec = { host: { auth, storage, publicUrl: () => 'https://crates.example' }, options }
  const pair = {
    fast: await startSide(t, { ...spec, past }),
    ordinary: await startSide(t, { ...spec, past: 'neither' }),
  }
  t.after(() => rm(folder, { recursive: true }))
  const huge = crateFile('acme-huge', '1.0.0').add('acme-huge-1.0.0/data.bin', randomBytes(1_500_000))
  const others = ['acme-small', 'acme-secret'].map((name) => crateFile(name, '1.0.0'))
  for (const crate of [...LARGE_INDEX, huge, ...others]) await publish(pair.fast, crate)
  // Neither of the two is the first to ask: a file that is on its way is not yet dated.
  const first = await startSide(t, { ...spec, past: 'neither' })
  const isStored = async () => {
    const { head } = await first.ask({ path: PROXIED_DOWNLOAD, headers: { authorization: TOKEN } })
    return head.some((line) => line.startsWith('Last-Modified'))
  }
  await until(isStored, true)
  return pair
}

async function publish({ url }: Side, crate: CrateFile): Promise<void> {
  const body = Buffer.from(publishBody(crate))
  const response = await fetch(`${url}/api/v1/crates/new`, {
    method: 'PUT',
    headers: { authorization: TOKEN },
    body,
  })
  assert.equal(response.status, 200, await response.text())
}

/** Whether it is answered past the router once all is warm. */
const CASES: readonly (readonly [boolean, Asked])[] = [
  [true, { path: '/config.json' }],
  [true, { path: '/index/config.json' }],
  [true, { path: INDEX }],
  [true, { path: INDEX, headers: GZIP }],
  [true, { path: INDEX, headers: { 'accept-encoding': 'br, *;q=0.1' } }],
  [true, { path: INDEX, headers: { 'accept-encoding': 'gzip;q=0' } }],
  [true, { path: `/index${INDEX}` }],
  [true, { path: '/ac/me/acme-small', headers: GZIP }],
  [true, { path: '/ac/me/acme-secret' }],
  [true, { path: '/ac/me/acme-nowhere' }],
  [true, { path: '/re/mo/remote', headers: GZIP }],
  [true, { path: '/no/wh/nowhere' }],
  [true, { path: INDEX, headers: { 'if-none-match': '*' } }],
  [true, { path: INDEX, headers: { 'if-none-match': '"other", W/"one"' } }],
  [true, { path: '/2/no' }],
  [true, { path: DOWNLOAD, headers: GZIP }],
  [true, { path: DOWNLOAD, headers: { 'if-none-match': '*' } }],
  [true, { path: LARGE_DOWNLOAD }],
  [true, { path: LARGE_DOWNLOAD, headers: { 'if-none-match': '*' } }],
  [true, { path: PROXIED_DOWNLOAD }],
  [false, { path: DOWNLOAD, headers: { range: 'bytes=1-9' } }],
  [false, { path: DOWNLOAD, headers: { 'if-modified-since': 'Fri, 31 Dec 2100 23:59:59 GMT' } }],
  [true, { path: INDEX, headers: { 'if-modified-since': 'Fri, 31 Dec 2100 23:59:59 GMT' } }],
  [false, { path: '/api/v1/crates/acme-large/1.0/download' }],
  [false, { path: '/api/v1/crates/acme-large/9.0.0/download' }],
  [false, { path: '/api/v1/crates/acme_large/1.0.0/download' }],
  [false, { path: '/api/v1/crates/ACME-large/1.0.0/download' }],
  [false, { path: '/api/v1/crates/acme-secret/9.0.0/download' }],
  [false, { path: `${INDEX}?a=b` }],
  [false, { path: '/ac/me/ACME-large' }],
  [false, { path: '/ac/me/acme_large' }],
  [false, { path: '/ac/me/acme%2Dlarge' }],
  [false, { path: '/AC/ME/acme-large' }],
  [false, { path: '/se/rd/acme-large' }],
  [false, { path: '/in/va/in.valid' }],
  [false, { path: INDEX, headers: { 'content-length': '0', expect: '100-continue' } }],
  [false, { path: INDEX, headers: { authorization: 'token-of-nobody' } }],
  [false, { path: INDEX, method: 'DELETE' }],
  [false, { path: INDEX, method: 'OPTIONS' }],
  [false, { path: `/vc/ar/vcargo_${'a'.repeat(43)}` }],
  [false, { path: '/api/v1/crates/acme-large' }],
]

const PAST = ['router', 'koa'] as const
const KINDS = PAST.flatMap((past) => [false, true].map((login) => ({ past, login })))

for (const { past, login } of KINDS) {
  const what = login ? 'where reads need a login' : 'where everybody may read'
  test(`answers past the ${past} are those of the ordinary route, ${what}`, async (t) => {
    const pair = await startPair(t, { login, past })
    const askers = login ? [undefined, TOKEN, OTHER] : [undefined, TOKEN]
    for (const [isFast, asked] of CASES) {
      const methods = asked.method === undefined ? ['GET', 'HEAD'] : [asked.method]
      for (const method of methods) {
        for (const token of askers) {
          const headers = { ...(token && { authorization: token }), ...asked.headers }
          const wants = isFast && (!login || headers.authorization !== undefined)
          await same(pair, { ...asked, method, headers }, wants)
        }
      }
    }
    for (const name of ['cargo_requests_total', 'cargo_downloads_total'])
      assert.deepEqual(await requestsOf(pair.fast, name), await requestsOf(pair.ordinary, name))
  })
}

test('each form of an index file has a tag of its own, and either of them is fresh', async (t) => {
  const { fast, ordinary } = await startPair(t, { login: false, past: 'router' })
  for (const side of [fast, ordinary]) {
    await side.ask({ path: INDEX, headers: GZIP })
    const [plain, small] = [await side.ask({ path: INDEX }), await side.ask({ path: INDEX, headers: GZIP })]
    assert.equal(gunzipSync(Buffer.from(small.body, 'latin1')).toString('latin1'), plain.body)
    const tags = [plain, small].map(
      ({ head }) => head.find((line) => line.startsWith('ETag'))?.slice(6) ?? '',
    )
    assert.equal(tags[1], tags[0]?.replace(/"$/, '-gzip"'))
    for (const tag of tags) {
      for (const accept of [{}, GZIP]) {
        const { status, head } = await side.ask({ path: INDEX, headers: { 'if-none-match': tag, ...accept } })
        assert.deepEqual([status, head.includes(`ETag: ${tag}`)], [304, true])
      }
    }
  }
})

for (const past of PAST) {
  test(`a publish shows at once, past the ${past} too`, async (t) => {
    const { fast } = await startPair(t, { login: false, past })
    for (let n = 0; n < 5; n++) {
      await publish(fast, crateFile('acme-small', `2.0.${n}`))
      for (const headers of [{}, GZIP]) {
        const { body } = await fast.ask({ path: '/ac/me/acme-small', headers })
        assert.ok(body.includes(`"vers":"2.0.${n}"`))
      }
    }
  })
}

for (const past of PAST) {
  test(`an index file that is renewed behind its answer is answered past the ${past} meanwhile`, async (t) => {
    const uplink = await startUplink(t, { crates: [crateFile('remote', '1.0.0')] })
    const options: OptionsInput = {
      uplinks: { up: { url: uplink.url, maxage: '1ms' } },
      prefetch: 0,
      packages: { '**': { access: '$all', proxy: 'up' } },
    }
    const auth = createAuth({ staticTokens: [] })
    const spec = {
      host: { auth, storage: memoryStorage(), publicUrl: () => 'https://crates.example' },
      options,
    }
    const pair = {
      fast: await startSide(t, { ...spec, past }),
      ordinary: await startSide(t, { ...spec, past: 'neither' }),
    }
    const [path, hits] = ['/re/mo/remote', () => uplink.hits(uplink.indexPath('remote'))]
    for (const { ask } of [pair.fast, pair.ordinary]) await ask({ path })
    const before = hits()
    await sleep(5)
    for (let n = 0; n < 5; n++) await same(pair, { path }, true)
    assert.equal(hits(), before)
    await until(hits, before + 2)
  })
}

/** Asks both, also while they warm up, until what can be in memory is. */
async function same({ fast, ordinary }: Pair, asked: Asked, isFast: boolean): Promise<void> {
  const text = JSON.stringify(asked)
  for (let attempt = 0; attempt < 10; attempt++) {
    assert.deepEqual(await fast.ask(asked), await ordinary.ask(asked), text)
    assert.equal(ordinary.wasFast(), false)
    if (fast.wasFast() === isFast) return
    assert.ok(isFast, `${text} was not answered by the ordinary route`)
  }
  assert.fail(`${text} was never answered past the router`)
}

/** Of reads; only one of the two was published to. */
async function requestsOf(side: Side, name: string): Promise<readonly (readonly [string, number])[]> {
  const all = Object.entries(await counted(side, name))
  return all.filter(([labels]) => !labels.includes('"PUT"') && !labels.includes('"le"')).sort()
}
