import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderPluginJson } from './plugin-json.ts'
import { renderReadme } from './readme.ts'

const ROOT = join(import.meta.dirname, '../..')
const README = join(ROOT, 'README.md')

await writeFile(join(ROOT, 'plugin.json'), renderPluginJson())
await writeFile(README, renderReadme(await readFile(README, 'utf8')))
