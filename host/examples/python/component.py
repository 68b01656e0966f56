"""The component. It is compiled once. Each of its instances is bound to one organization's imports."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Func, Linker, Variant

import fast_bytes
from wit import VERSION, Refusal

fast_bytes.install()
log = logging.getLogger(__name__)

# The functions of an interface by their names in the WIT.
Functions = Mapping[str, Callable[..., object]]

# How often the engine checks whether a call is past its deadline.
TICK_SECONDS = 0.1
# An instance needs some 10 MiB, and more for large requests.
MEMORY_BYTES = 256 << 20


class Compiled:
    """The compiled component. Compiling takes about a second; the result is kept in wasmtime's cache on the disk."""

    def __init__(self, path: Path) -> None:
        config = Config()
        config.cache = True
        config.epoch_interruption = True
        self.engine = Engine(config)
        self.component = Component.from_file(self.engine, str(path))
        threading.Thread(target=self._tick, name="deadlines", daemon=True).start()

    def _tick(self) -> None:
        while True:
            time.sleep(TICK_SECONDS)
            self.engine.increment_epoch()


class ActionRefused(Exception):
    """An export refused a call: a case of the WIT's `action-error`."""

    def __init__(self, error: Variant) -> None:
        super().__init__(error.tag if error.payload is None else f"{error.tag}: {error.payload}")
        self.error = error


class Instance:
    """One instance, which serves one call at a time. After any exception but `ActionRefused` it must not be used again."""

    def __init__(self, compiled: Compiled, imports: Mapping[str, Functions]) -> None:
        self.stopped = False
        self.functions: dict[tuple[str, str], Func] = {}
        self.store = Store(compiled.engine)
        wasi = WasiConfig()  # No arguments, no environment, no files; only faults are written, to the host's stderr.
        wasi.inherit_stderr()
        self.store.set_wasi(wasi)
        self.store.set_limits(memory_size=MEMORY_BYTES)
        self._deadline(10.0)
        linker = Linker(compiled.engine)
        linker.add_wasip2()
        with linker.root() as root:
            for interface, functions in imports.items():
                with root.add_instance(f"insomnia:scim/{interface}@{VERSION}") as exports:
                    for name, function in functions.items():
                        exports.add_func(name, self._guarded(interface, name, function))
        self.instance = linker.instantiate(self.store, compiled.component)

    def call(self, interface: str, name: str, *arguments: object, seconds: float) -> object:
        """Calls an export, and ends it if it takes longer."""
        self._deadline(seconds)
        result = self._function(interface, name)(self.store, *arguments)
        # No export returns a variant as its value, so a variant here is the error of a result.
        if isinstance(result, Variant):
            raise ActionRefused(result)
        return result

    def stop(self) -> None:
        """Ends the running call, from another thread: the next import fails, so nothing more is written."""
        self.stopped = True

    def _deadline(self, seconds: float) -> None:
        self.store.set_epoch_deadline(round(seconds / TICK_SECONDS))

    def _function(self, interface: str, name: str) -> Func:
        if (interface, name) not in self.functions:
            exports = self.instance.get_export_index(self.store, f"insomnia:scim/{interface}@{VERSION}")
            index = exports and self.instance.get_export_index(self.store, name, exports)
            function = index and self.instance.get_func(self.store, index)
            if function is None:
                raise LookupError(f"the component has no {interface}.{name} of version {VERSION}")
            self.functions[interface, name] = function
        return self.functions[interface, name]

    def _guarded(self, interface: str, name: str, function: Callable[..., object]) -> Callable[..., object]:
        """The import as the component calls it. No exception crosses: a refusal is returned as a value, and any other
        fault as `other`."""

        def guarded(_store: object, *arguments: object) -> object:
            if self.stopped:
                raise RuntimeError("the call was stopped")  # This one crosses, on purpose: it ends the call.
            try:
                return function(*arguments)
            except Refusal as refusal:
                return refusal.value()
            except Exception as error:
                log.exception("the import %s.%s failed", interface, name)
                return Variant("other", repr(error))

        return guarded
