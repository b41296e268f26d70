// The tests of reads and of rights once more, with the plugin asked before Koa is, as the bundled server asks it.
process.env['FAST_PATH'] = 'front'

await import('../read-routes.test.ts')
await import('../rights.test.ts')
await import('../download.test.ts')
await import('../download-audit.test.ts')
await import('../download-counts.test.ts')
await import('../upstream-index.test.ts')
await import('../upstream-download.test.ts')
await import('../framing.test.ts')
await import('../smuggling.test.ts')
await import('../methods.test.ts')
await import('../cors.test.ts')
await import('../metrics.test.ts')
await import('../rate-limits.test.ts')
await import('../storage-faults.test.ts')
