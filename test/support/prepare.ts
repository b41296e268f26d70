import { ensureTools, requireCargo } from './tools.ts'
import { ensureS3Server } from './versitygw.ts'

// What `npm test` runs against: the real thing, or no test at all.
try {
  await requireCargo()
  await ensureTools(['redis-server', 'nginx', 'openssl', 'script', 'strace', 'chromium'])
  await ensureS3Server()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exit(1)
}
