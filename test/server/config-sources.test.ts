import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { loadConfig } from '../../src/server/config-sources.ts'
import { temporaryFolder } from '../support/cargo.ts'

const SOURCES = { environment: {}, workingDirectory: '/work' }

async function yamlFile(
  context: TestContext,
  text: string,
): Promise<{ readonly file: string; readonly folder: string }> {
  const folder = join(await temporaryFolder({ after: (done) => context.after(done) }), 'etc')
  await mkdir(folder)
  const file = join(folder, 'config.yaml')
  await writeFile(file, text)
  return { file, folder }
}

test('loadConfig() takes the file, then the environment, then the command line', async (t) => {
  const { file } = await yamlFile(
    t,
    'listen: a:1\npublic_url: https://a.example\nstorage: { fs: { path: a } }\n',
  )
  const environment = { VERDACCIO_CARGO_LISTEN: 'b:2', VERDACCIO_CARGO_STORAGE__FS__PATH: 'b' }
  const config = await loadConfig({ ...SOURCES, file, environment, listen: 'c:3' })
  assert.equal(config.listen.host, 'c')
  assert.equal(config.public_url, 'https://a.example')
  assert.deepEqual(config.storage, { fs: { path: '/work/b' } })
})

test("loadConfig() resolves file names against the file's folder, others against the working directory", async (t) => {
  const { file, folder } = await yamlFile(
    t,
    'tls: { cert: cert.pem, key: /etc/key.pem }\nstorage: { fs: { path: ./data } }\nauth: { htpasswd: ../users }\n',
  )
  const config = await loadConfig({ ...SOURCES, file })
  assert.deepEqual(config.tls, { cert: join(folder, 'cert.pem'), key: '/etc/key.pem' })
  assert.deepEqual(config.storage, { fs: { path: join(folder, 'data') } })
  assert.equal(config.auth?.htpasswd, join(folder, '../users'))
  assert.deepEqual((await loadConfig({ ...SOURCES, data: 'd' })).storage, { fs: { path: '/work/d' } })
  assert.deepEqual((await loadConfig(SOURCES)).storage, { fs: { path: '/work/registry-data' } })
})

test('loadConfig() takes IPv6 addresses and files with any name from the environment', async () => {
  const environment = {
    VERDACCIO_CARGO_LISTEN: '[::1]:0',
    VERDACCIO_CARGO_STORAGE__FS__PATH: '2027',
    VERDACCIO_CARGO_AUTH__HTPASSWD: 'true',
  }
  const config = await loadConfig({ ...SOURCES, environment })
  assert.deepEqual(config.listen, { host: '::1', port: 0, wildcard: false })
  assert.deepEqual(config.storage, { fs: { path: '/work/2027' } })
  assert.equal(config.auth?.htpasswd, '/work/true')
})

test('loadConfig() names the file that it cannot read, in one line', async (t) => {
  const { file } = await yamlFile(t, 'listen: [\n')
  for (const wrong of [file, '/nowhere/config.yaml']) {
    await assert.rejects(loadConfig({ ...SOURCES, file: wrong }), (error: Error) => {
      assert.equal(error.name, 'ConfigError')
      assert.match(error.message, /file `.*config\.yaml`: /)
      return !error.message.includes('\n')
    })
  }
})

test('loadConfig() takes an empty file for no settings', async (t) => {
  const { file } = await yamlFile(t, '# nothing\n')
  assert.equal((await loadConfig({ ...SOURCES, file })).listen.port, 8081)
})

test('loadConfig() has crates.io behind it, unless the settings or the command line say otherwise', async (t) => {
  const uplinksOf = async (text: string, uplinks?: boolean) => {
    const { file } = await yamlFile(t, text)
    return (await loadConfig({ ...SOURCES, file, uplinks })).cargo
  }
  const own = '{ url: https://a.example/, maxage: 1m }'
  const proxied = `cargo: { uplinks: { a: ${own} }, packages: { '**': { proxy: a }, 'x-*': {} } }\n`
  const cratesIo = { url: 'sparse+https://index.crates.io/', optional: true }
  assert.deepEqual((await uplinksOf('')).uplinks, { 'crates-io': cratesIo })
  assert.deepEqual((await uplinksOf('cargo: { uplinks: {} }\n')).uplinks, {})
  assert.deepEqual(Object.keys((await uplinksOf(proxied)).uplinks ?? {}), ['a'])
  assert.deepEqual((await uplinksOf('', false)).uplinks, {})
  const without = await uplinksOf(proxied, false)
  assert.deepEqual([without.uplinks, without.packages], [{}, { '**': { proxy: [] }, 'x-*': {} }])
})
