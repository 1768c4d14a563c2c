import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { createClient } from 'tinysse';
import { SseProvider, useSseEvent, useSseStatus } from 'tinysse/react';

function Seen() {
  const status = useSseStatus((snapshot) => snapshot.status);
  const [seen, setSeen] = useState('');
  useSseEvent('projects', (update) => setSeen(`${update.type} ${update.data.id}`));
  return <output>{seen || status}</output>;
}

const root = document.createElement('div');
document.body.append(root);
createRoot(root).render(
  <SseProvider client={createClient({ url: '/events' })}>
    <Seen />
  </SseProvider>,
);
