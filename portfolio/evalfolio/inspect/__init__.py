"""A plan in Inspect: as settings and commands to run by hand, or as a programme that runs itself.

`inspect_settings` turns the chosen options into settings; `write_inspect_script` and
`write_inspect_yaml` write them as `inspect eval` commands and as YAML, `write_run_configs` as one
file per option for `inspect eval --run-config`, `write_flow_specs` as specs of Inspect Flow. Logs
of such runs carry the eval, option, tier and effort, which `evalfolio.readers.read_inspect_logs`
reads back. None of this needs `inspect_ai`.

`plan_source` (extra `inspect`) is a `TaskSource` that runs a plan, looks at what came in and plans
on, within its limits; `Running` is the programme behind it, and runs it to its end.
`sample_source` is a `SampleSource` that stops one eval, by `Worth` or by `Width`.
"""

from evalfolio.inspect.flow import flow_specs as flow_specs
from evalfolio.inspect.flow import write_flow_specs as write_flow_specs
from evalfolio.inspect.running import Running as Running
from evalfolio.inspect.running import plan_source as plan_source
from evalfolio.inspect.sampling import Width as Width
from evalfolio.inspect.sampling import Worth as Worth
from evalfolio.inspect.sampling import sample_source as sample_source
from evalfolio.inspect.script import inspect_script as inspect_script
from evalfolio.inspect.script import write_inspect_script as write_inspect_script
from evalfolio.inspect.settings import inspect_settings as inspect_settings
from evalfolio.inspect.yaml_text import write_inspect_yaml as write_inspect_yaml
from evalfolio.inspect.yaml_text import write_run_configs as write_run_configs
from evalfolio.inspect.yaml_text import yaml_text as yaml_text
