import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { clientOf } from './client.ts'
import { startVerdaccio } from './host.ts'
import type { Installation } from './install.ts'

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
  const verdaccio = await startVerdaccio(t, installed, {
    cargo: { mount: '/crates' },
    config: { url_prefix: '/artifacts/' },
    env: { VERDACCIO_PUBLIC_URL: 'https://packages.example' },
  })
  const { status, text } = await clientOf(verdaccio.url).ask('/config.json')
  const { api, dl } = JSON.parse(text)
  assert.equal(status, 200)
  assert.equal(api, 'https://packages.example/artifacts/crates')
  assert.ok(dl.startsWith('https://packages.example/artifacts/crates/'), dl)
  assert.equal((await clientOf(`${verdaccio.origin}/-/cargo`).ask('/config.json')).status, 404)
}
