import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { renderPluginJson } from './plugin-json.ts'

await writeFile(join(import.meta.dirname, '../../plugin.json'), renderPluginJson())
