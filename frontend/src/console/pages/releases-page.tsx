import { t } from '@lingui/core/macro'
import { useQuery } from '@tanstack/react-query'
import type { ReactNode } from 'react'
import { Link } from '../../lib/navigation.ts'
import { Notice } from '../../ui/notice.tsx'
import { read } from '../lib/api.ts'
import { Answer, ConsolePage } from '../parts/console-page.tsx'
import { Hash } from '../parts/facts.tsx'
import rows from '../parts/rows.module.css'
import { Status } from '../parts/status.tsx'
import { When } from '../parts/when.tsx'
import { verdictWords } from '../parts/words.ts'

export default function ReleasesPage(): ReactNode {
  const releases = useQuery(read('releases', 'listReleases', {}))
  return (
    <ConsolePage
      title={t`Releases`}
      lead={t`Every artifact this host has built, with what was learned of it. A bad or quarantined release is never deployed again.`}
    >
      <Answer query={releases}>
        {({ results }) =>
          results.length === 0 ? (
            <Notice
              icon="archive"
              level={2}
              title={t`No release has been built here`}
              message={
                <>
                  {t`Make one from a git tag:`} <code>./dam release build v1.0.0</code>
                </>
              }
            />
          ) : (
            <ul className={rows.rows}>
              {results.map((release) => {
                const { word, tone } = verdictWords(release.verdict)
                return (
                  <li key={release.digest}>
                    <Link to={`/releases/${release.digest}`} className={rows.row}>
                      <span className={rows.main}>
                        <strong>{release.tag}</strong>
                        <Status tone={tone}>{word}</Status>
                        {release.activeIn.map((environment) => (
                          <Status key={environment} tone="running" icon="play">
                            {environment}
                          </Status>
                        ))}
                      </span>
                      <span className={rows.note}>
                        {release.verdictBecause || t`schema ${release.schema.min} to ${release.schema.max}`}
                      </span>
                      <span className={rows.side}>
                        <Hash of={release.commit} digits={9} />
                        <span>
                          {t`built`} <When at={release.builtAt} />
                        </span>
                      </span>
                    </Link>
                  </li>
                )
              })}
            </ul>
          )
        }
      </Answer>
    </ConsolePage>
  )
}
