import { useId, type ReactNode } from 'react'
import styles from '../../ui/field.module.css'

/** A field for several lines. */
export function TextArea({
  label,
  hint,
  value,
  rows = 3,
  onChange,
}: {
  label: string
  hint?: string
  value: string
  rows?: number
  onChange: (value: string) => void
}): ReactNode {
  const id = useId()
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        className={styles.input}
        dir="auto"
        rows={rows}
        value={value}
        aria-describedby={hint ? `${id}-note` : undefined}
        onChange={(event) => onChange(event.target.value)}
      />
      {hint && (
        <p id={`${id}-note`} className={styles.hint}>
          {hint}
        </p>
      )}
    </div>
  )
}
