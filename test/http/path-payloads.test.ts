import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { fsStorage } from '../../src/hosts/fs.ts'
import { memoryStorage } from '../../src/hosts/memory.ts'
import type { OptionsInput } from '../../src/options.ts'
import { cargo } from '../../src/plugin.ts'
import { temporaryFolder } from '../support/cargo.ts'
import { crateFile } from '../support/crate-file.ts'
import { JOE, startTokenApp } from './token-app.ts'

/** What people put into paths to reach what is not theirs, as it goes over the wire. */
const PAYLOADS = [
  ...[
    '..',
    '.',
    '...',
    '%2e%2e',
    '%2e%2e%2f',
    '%2E%2E',
    '.%2e',
    '%2e.',
    '%252e%252e',
    '%25252e',
    '..%2f',
    '..%5c',
  ],
  ...[
    '..%2f..%2f..%2fetc%2fpasswd',
    '%2fetc%2fpasswd',
    '..%252f..%252fetc',
    '%c0%ae%c0%ae',
    '%c0%af',
    '%e0%80%ae',
  ],
  ...[
    '..%c0%af',
    '%ff',
    '%fe%ff',
    '%u002e',
    '%00',
    '%2500',
    'foo%00',
    'foo%2500',
    'foo%00.json',
    '%0a',
    '%0d%0a',
  ],
  ...[
    'foo%0d%0aX:%20y',
    '%09',
    '%7f',
    '%e2%80%a8',
    '%ef%bc%8f',
    '%ef%bc%8e%ef%bc%8e',
    'foo.',
    'foo%20',
    '%20foo',
  ],
  ...[
    'foo%2f',
    'foo%5c',
    '%5cfoo',
    'foo;x',
    'foo:x',
    'foo%3a%3a$DATA',
    'foo~1',
    '~',
    '~root',
    'CON',
    'nul',
    'COM1.x',
  ],
  ...[
    'con.',
    '__proto__',
    'constructor',
    '*',
    '%3f',
    '%23',
    '%25',
    '%',
    '%zz',
    '%2',
    "'",
    '%22',
    '%3cscript%3e',
  ],
  ...[
    '$(id)',
    '%60id%60',
    '|id',
    '%7b%7d',
    '-',
    '_',
    '-foo',
    '0',
    '1.0.0%2f..',
    'a'.repeat(300),
    '%61'.repeat(300),
  ],
  ...['../'.repeat(20), '..%2f'.repeat(200), 'foo/../bar', './foo', 'foo//', '//foo'],
]
/** Names like others, of which an administrator is told that nobody has them. */
const EXPLAINED = /^\/api\/v1\/crates\/(CON|nul|constructor)\/(1\.0\.0\/)?explain$/
const METHODS = ['GET', 'HEAD', 'PUT', 'DELETE'] as const
/** What stands for a parameter that is not under attack. */
const GOOD: Readonly<Record<string, string>> = {
  crate: 'foo',
  name: 'foo',
  version: '1.0.0',
  first: '3',
  second: 'f',
}
const PARALLEL = 16

/** Every route with one of its parameters replaced by a payload. */
function attackedPaths(): readonly string[] {
  const auth = { authenticate: async () => undefined, authorize: async () => true }
  const { routes } = cargo({ auth, storage: memoryStorage() })
  const patterns = new Set(routes.map(({ path }) => path).filter((path) => path.includes(':')))
  const paths = [...patterns].flatMap((pattern) => {
    const parts = pattern.split('/')
    const isParameter = (part: string) => part.startsWith(':')
    return parts.flatMap((attacked, at) =>
      isParameter(attacked)
        ? PAYLOADS.map((payload) =>
            parts
              .map((part, n) =>
                n === at ? payload : isParameter(part) ? (GOOD[part.slice(1)] ?? 'x') : part,
              )
              .join('/'),
          )
        : [],
    )
  })
  return [...new Set([...paths, ...PAYLOADS.map((payload) => `/x${payload}/${payload}`)])]
}

test('payloads in paths are refused by every route and method, and change nothing', async (t) => {
  const folder = await temporaryFolder(t)
  const root = join(folder, 'data')
  const options: OptionsInput = { admins: ['joe'], rate_limits: { yank: false, publish: false } }
  const { app } = await startTokenApp(t, { host: { storage: fsStorage(root) }, options })
  assert.equal((await app.publish(crateFile('foo'), JOE)).status, 200)
  const before = await app.stored()
  const agent = new Agent({ keepAlive: true, maxSockets: PARALLEL })
  t.after(() => agent.destroy())
  const { port } = new URL(app.url)
  const send = (method: string, path: string) =>
    new Promise<number>((resolve, reject) => {
      const headers = { authorization: JOE }
      const sent = request({ host: '127.0.0.1', port, agent, method, path: `/cargo${path}`, headers })
      sent.on('error', reject)
      sent.on('response', (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      })
      sent.end()
    })
  const wrong: string[] = []
  const paths = attackedPaths()
  let next = 0
  async function attacker(): Promise<void> {
    for (let path = paths[next++]; path !== undefined; path = paths[next++]) {
      for (const method of METHODS) {
        const status = await send(method, path)
        if ((status < 400 || status > 499) && !EXPLAINED.test(path))
          wrong.push(`${status} ${method} ${path.slice(0, 100)}`)
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, attacker))
  assert.ok(PAYLOADS.length >= 60 && paths.length > 1000, `${PAYLOADS.length} ${paths.length}`)
  assert.deepEqual(wrong, [])
  assert.deepEqual(await app.stored(), before)
  assert.deepEqual(readdirSync(folder), ['data'])
  assert.deepEqual(app.errors, [])
})
