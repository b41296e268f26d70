import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { crateFile } from '../support/crate-file.ts'
import { freePort } from '../support/free-port.ts'
import { clientOf } from './client.ts'
import { startVerdaccio } from './host.ts'
import type { Installation } from './install.ts'
import { signUp } from './npm.ts'
import { startPrefixProxy } from './prefix-proxy.ts'
import { pagesWorkBelowPrefix } from './web.ts'

/** Blocks that are wrong, and what is said of each. */
const MISTAKES: readonly (readonly [cargo: unknown, ...said: readonly string[]])[] = [
  [{ enabled: 'maybe' }, '`enabled`: must be `true` or `false`'],
  [['enabled'], '`middlewares.cargo`: must be a map'],
  [
    {
      uplink: {},
      limits: { crate: 'large' },
      packages: { '**': { acces: '$all' } },
      mount: 'crates',
    },
    'unknown key `uplink`',
    '`limits.crate`',
    'unknown key `packages.**.acces`',
    '`mount`',
  ],
  [
    { uplinks: { partner: { url: 'sparse+https://crates.example/', auth: { token_env: 'NOT_THERE' } } } },
    '`NOT_THERE` is not set',
  ],
]

export async function mistakesStopTheStart(t: TestContext, installed: Installation): Promise<void> {
  for (const [cargo, ...said] of MISTAKES) {
    await assert.rejects(startVerdaccio(t, installed, { cargo }), (error: Error) => {
      assert.match(error.message, /^verdaccio \S+ ended/)
      for (const text of said) assert.ok(error.message.includes(text), `no ${text} in ${error.message}`)
      return true
    })
  }
}

/** Another mount, behind a proxy that takes a prefix off. */
export async function mountMoves(t: TestContext, installed: Installation): Promise<void> {
  const port = await freePort()
  const outside = `http://127.0.0.1:${port}`
  const [host, url] = [`${outside}/artifacts`, `${outside}/artifacts/crates`]
  const verdaccio = await startVerdaccio(t, installed, {
    cargo: { mount: '/crates', web: true },
    config: { url_prefix: '/artifacts/' },
    env: { VERDACCIO_PUBLIC_URL: outside },
  })
  await startPrefixProxy(t, { port, prefix: '/artifacts/', target: verdaccio.origin })
  // Whoever asks, and where: these are what clients of the proxy can use.
  for (const base of [verdaccio.url, url]) {
    const { status, text } = await clientOf(base).ask('/config.json')
    const { api, dl } = JSON.parse(text)
    assert.equal(status, 200)
    assert.equal(api, url)
    assert.ok(dl.startsWith(`${url}/`), dl)
  }
  assert.equal((await clientOf(`${verdaccio.origin}/-/cargo`).ask('/config.json')).status, 404)
  const zoe = clientOf(url, await signUp(host, 'zoe'))
  assert.equal(await zoe.publish(crateFile('prefixed')), 200)
  const own = { version: '1', own: true, 'registry-index': `sparse+${url}/` }
  assert.equal(await zoe.publish(crateFile('prefixed-user').dep('prefixed', own)), 200)
  assert.equal(await zoe.download('prefixed', '1.0.0'), (await zoe.versions('prefixed'))?.get('1.0.0'))
  await pagesWorkBelowPrefix(t, { host, url, crates: ['prefixed', 'prefixed-user'] })
}
