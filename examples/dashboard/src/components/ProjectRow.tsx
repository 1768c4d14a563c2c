// A project in its list, with its name to edit.
import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import { type Project, update } from '../api';
import { useChange } from '../queries';
import { DeleteButton } from './DeleteButton';
import { Icon } from './Icon';
import { Changed, Flash } from './Rows';

interface Props {
  project: Project;
  isNew: boolean;
}

/** One project: its name is a button that turns into a field. */
export function ProjectRow({ project, isNew }: Props) {
  const rename = useChange('projects', (name: string) => update('projects', project.id, { name }));
  const name = rename.isPending ? rename.variables : project.name;

  return (
    <li className="row" data-testid="project-row" data-id={project.id}>
      <Flash mark={project.updatedAt} lit={isNew} />
      <Name name={name} onRename={(next) => rename.mutate(next)} />
      <Changed item={project} />
      <DeleteButton list="projects" id={project.id} name={name} />
    </li>
  );
}

/** Enter or leaving the field keeps the name, Escape drops it; the keyboard's focus comes back to the name. */
function Name({ name, onRename }: { name: string; onRename: (next: string) => void }) {
  const [editing, setEditing] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const returning = useRef(false);

  useEffect(() => {
    if (editing) field.current?.select();
    else if (returning.current) button.current?.focus();
    returning.current = false;
  }, [editing]);

  const close = (next: string, focus: boolean) => {
    returning.current = focus;
    setEditing(false);
    const trimmed = next.trim();
    if (trimmed && trimmed !== name) onRename(trimmed);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    // Enter also ends the composition of a CJK word; that one is not for us.
    if (event.nativeEvent.isComposing || (event.key !== 'Enter' && event.key !== 'Escape')) return;
    // The focus is on the button before the key is done; without this the same key would press it.
    event.preventDefault();
    close(event.key === 'Enter' ? event.currentTarget.value : name, true);
  };

  if (!editing) {
    return (
      <button ref={button} type="button" className="name" onClick={() => setEditing(true)} data-testid="rename">
        <span className="name-text" data-testid="project-name-text">
          {name}
        </span>
        <Icon name="pencil" />
        <span className="sr-only">, rename</span>
      </button>
    );
  }
  return (
    <input
      ref={field}
      className="name-field"
      defaultValue={name}
      aria-label={`New name of ${name}`}
      maxLength={80}
      autoComplete="off"
      onKeyDown={onKeyDown}
      onBlur={(event) => close(event.currentTarget.value, false)}
      data-testid="rename-input"
    />
  );
}
