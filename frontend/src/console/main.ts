import '../ui/tokens.css'
import '../ui/base.css'
import { applyTheme } from '../lib/preferences.ts'
import { activateConsoleLocale } from './lib/console-locale.ts'
import { start } from './start.tsx'

applyTheme()
await activateConsoleLocale()
start(document.getElementById('root')!)
