// The tests of reads once more, all of them by the ordinary route: elsewhere what is warm goes past it.
process.env['FAST_PATH'] = 'off'

await import('../read-routes.test.ts')
await import('../rights.test.ts')
await import('../download.test.ts')
await import('../upstream-index.test.ts')
await import('../upstream-download.test.ts')
