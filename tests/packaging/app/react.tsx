// The entry of the packaging test with React.
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from 'tinysse';
import { SSEProvider, useSSEEvent, useSSEStatus } from 'tinysse/react';

function Seen() {
  const status = useSSEStatus((snapshot) => snapshot.status);
  const [seen, setSeen] = useState('');
  useSSEEvent('projects', (update) => setSeen(`${update.type} ${update.data.id}`));
  return <output>{seen || status}</output>;
}

const root = document.createElement('div');
document.body.append(root);
createRoot(root).render(
  <SSEProvider client={createClient({ url: '/events' })}>
    <Seen />
  </SSEProvider>,
);
