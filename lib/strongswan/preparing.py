"""preparing.py: composes the files of swanctl anew when what is mounted has changed."""
import hashlib
import os
import time
from typing import Any, List, Optional, Tuple

from composition import Composition, compose, write_composition
from files import read
from log import reason_of
from mounted import Gateway, Invalid, parse_gateway, read_inputs
from waits import CHECK_SECONDS


class Preparing:
    def __init__(self, config: str, state: str) -> None:
        self.config = config
        self.state = state
        self.folder = os.path.join(state, 'swanctl')
        self.gateway = Gateway('', {})
        self.inputs: Optional[Tuple[Any, ...]] = None
        self.composition: Optional[Composition] = None
        self.fingerprint = ''
        self.settings = ''  # the checksum of strongswan.conf
        self.problems: List[str] = []

    def prepare(self) -> None:
        """Compose anew if something has changed."""
        try:
            # One version of the ConfigMap, also while the kubelet turns ..data to another.
            folder = os.path.realpath(os.path.join(self.config, '..data'))
            folder = folder if os.path.isdir(folder) else self.config
            data = {name: read(os.path.join(folder, name)) for name in ('gateway.json', 'swanctl.conf', 'strongswan.conf')}
            for name in ('gateway.json', 'swanctl.conf'):
                if data[name] is None:
                    where = os.path.join(self.config, name)
                    raise Invalid(f'{name}: {where} cannot be read; mount the ConfigMap of the gateway there')
            gateway = parse_gateway(data['gateway.json'] or b'')
            inputs = read_inputs(gateway)
            all_inputs = (data, inputs, int(time.time() / CHECK_SECONDS))
            if all_inputs == self.inputs:
                return
            composition = compose(gateway, data['swanctl.conf'] or b'', inputs, time.time())
            write_composition(composition, self.folder, os.path.join(self.state, '.control.new'))
        except Invalid as invalid:
            self.inputs = None
            self.problems = [str(invalid)]
            return
        except OSError as error:
            self.inputs = None
            self.problems = [f'{self.folder}: it cannot be written: {reason_of(error)}; make room in its volume']
            return
        self.inputs = all_inputs
        self.gateway = gateway
        self.composition = composition
        self.fingerprint = composition.fingerprint()
        self.settings = hashlib.sha256(data['strongswan.conf'] or b'').hexdigest()
        self.problems = composition.problems
