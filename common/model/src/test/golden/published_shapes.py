"""Further chat templates in the shapes that published models bring along, in words of our own: tools
as types and as XML, thoughts kept and dropped, content in parts, documents, dates, macros that call
macros. make_template_goldens.py renders them beside its own.
"""

SHAPES = {
    "harmony": """{%- macro kind(spec) -%}
    {%- if spec.type == "array" -%}
        {%- if spec['items'] -%}
            {{- kind(spec['items']) + "[]" }}
        {%- else -%}
            {{- "any[]" }}
        {%- endif -%}
    {%- elif spec.type is defined and spec.type is iterable and spec.type is not string and spec.type is not mapping and spec.type[0] is defined -%}
        {{- spec.type | join(" | ") }}
    {%- elif spec.type == "string" -%}
        {%- if spec.enum -%}
            {{- '"' + spec.enum | join('" | "') + '"' -}}
        {%- else -%}
            {{- "string" }}
            {%- if spec.nullable %}
                {{- " | null" }}
            {%- endif -%}
        {%- endif -%}
    {%- elif spec.type in ["number", "integer"] -%}
        {{- "number" }}
    {%- else -%}
        {{- "any" }}
    {%- endif -%}
{%- endmacro -%}
{%- macro space(name, tools) -%}
    {{- "## " + name + "\\n\\nnamespace " + name + " {\\n\\n" }}
    {%- for tool in tools %}
        {%- set tool = tool.function %}
        {{- "// " + tool.description + "\\ntype " + tool.name + " = " }}
        {%- if tool.parameters and tool.parameters.properties %}
            {{- "(_: {\\n" }}
            {%- for name, spec in tool.parameters.properties.items() %}
                {%- if spec.description %}
                    {{- "// " + spec.description + "\\n" }}
                {%- endif %}
                {{- name }}
                {%- if name not in (tool.parameters.required or []) %}
                    {{- "?" }}
                {%- endif %}
                {{- ": " }}
                {{- kind(spec) }}
                {%- if spec.default is defined %}
                    {{- ", // default: " ~ spec.default }}
                {%- endif %}
                {{- ",\\n" }}
            {%- endfor %}
            {{- "}) => any;\\n\\n" }}
        {%- else %}
            {{- "() => any;\\n\\n" }}
        {%- endif %}
    {%- endfor %}
    {{- "} // namespace " + name }}
{%- endmacro -%}
{%- macro opening() -%}
    {%- if model_identity is not defined %}
        {%- set model_identity = "You are a machine that talks." %}
    {%- endif %}
    {{- model_identity + "\\nToday: " + strftime_now("%Y-%m-%d") + "\\n\\n" }}
    {%- if reasoning_effort is not defined %}
        {%- set reasoning_effort = "medium" %}
    {%- endif %}
    {{- "Effort: " + reasoning_effort + "\\n\\n# Channels: thought, final." }}
{%- endmacro -%}
{{- "<|start|>system<|message|>" }}
{{- opening() }}
{{- "<|end|>" }}
{%- if messages[0].role == "developer" or messages[0].role == "system" %}
    {%- set rules = messages[0].content %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set rules = "" %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if rules or tools %}
    {{- "<|start|>developer<|message|>" }}
    {%- if rules %}
        {{- "# Rules\\n\\n" + rules + "\\n\\n" }}
    {%- endif %}
    {%- if tools -%}
        {{- "# Tools\\n\\n" }}
        {{- space("functions", tools) }}
    {%- endif -%}
    {{- "<|end|>" }}
{%- endif %}
{%- set last = namespace(name=none) %}
{%- for message in loop_messages -%}
    {%- if message.role == 'assistant' -%}
        {%- if "content" in message and message.content and "<|channel|>" in message.content %}
            {{- raise_exception("Give the thought apart from the content") }}
        {%- endif %}
        {%- if "tool_calls" in message %}
            {%- set tool_call = message.tool_calls[0] %}
            {%- if tool_call.function %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {%- if message.reasoning_content %}
                {{- "<|start|>assistant<|channel|>thought<|message|>" + message.reasoning_content + "<|end|>" }}
            {%- endif %}
            {{- "<|start|>assistant to=functions." + tool_call.name + "<|channel|>commentary json<|message|>" }}
            {{- tool_call.arguments | tojson }}
            {{- "<|call|>" }}
            {%- set last.name = tool_call.name %}
        {%- elif loop.last and not add_generation_prompt %}
            {%- if "reasoning_content" in message %}
                {{- "<|start|>assistant<|channel|>thought<|message|>" + message.reasoning_content + "<|end|>" }}
            {%- endif %}
            {{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|return|>" }}
        {%- else %}
            {{- "<|start|>assistant<|channel|>final<|message|>" + message.content + "<|end|>" }}
            {%- set last.name = none %}
        {%- endif %}
    {%- elif message.role == 'tool' -%}
        {%- if last.name is none %}
            {{- raise_exception("An answer of a tool without its call") }}
        {%- endif %}
        {{- "<|start|>functions." + last.name + " to=assistant<|message|>" + message.content | tojson + "<|end|>" }}
    {%- elif message.role == 'user' -%}
        {{- "<|start|>user<|message|>" + message.content + "<|end|>" }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
<|start|>assistant
{%- endif -%}
""",
    "llama 4": """{{- bos_token }}
{%- if custom_tools is defined and custom_tools %}
    {%- set tools = custom_tools %}
{%- endif %}
{%- if not tools_in_user_message is defined %}
    {%- set tools_in_user_message = true %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- if messages[0]['content'] is string %}
        {%- set system_message = messages[0]['content'] | trim %}
    {%- else %}
        {%- set system_message = messages[0]['content'][0]['text'] | trim %}
    {%- endif %}
    {%- set messages = messages[1:] %}
    {%- set user_supplied_system_message = true %}
{%- else %}
    {%- set system_message = "" %}
    {%- set user_supplied_system_message = false %}
{%- endif %}
{%- if user_supplied_system_message %}
    {{- "<|header_start|>system<|header_end|>\\n\\n" }}
    {{- system_message }}
    {{- "<|eot|>" }}
{%- endif %}
{%- if tools_in_user_message and tools is not none and tools %}
    {%- if messages | length != 0 %}
        {%- set first_user_message = messages[0]['content'] | trim %}
        {%- set messages = messages[1:] %}
    {%- else %}
        {{- raise_exception("There is no question to put the tools before") }}
    {%- endif %}
    {{- '<|header_start|>user<|header_end|>\\n\\n' -}}
    {{- "Call one of these:\\n\\n" }}
    {%- for t in tools %}
        {{- t | tojson(indent=4) }}
        {{- "\\n\\n" }}
    {%- endfor %}
    {{- first_user_message + "<|eot|>" }}
{%- endif %}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|header_start|>' + message['role'] + '<|header_end|>\\n\\n' }}
        {%- if message['content'] is string %}
            {{- message['content'] }}
        {%- else %}
            {%- for content in message['content'] %}
                {%- if content['type'] == 'image' %}
                    {{- '<|image|>' }}
                {%- elif content['type'] == 'text' %}
                    {{- content['text'] | trim }}
                {%- endif %}
            {%- endfor %}
        {%- endif %}
        {{- "<|eot|>" }}
    {%- elif 'tool_calls' in message and message.tool_calls | length > 0 %}
        {{- '<|header_start|>assistant<|header_end|>\\n\\n' -}}
        {%- if message['content'] is string %}{{- message['content'] }}{%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function.arguments is mapping %}
                {{- '[' + tool_call.function.name + '(' }}
                {%- for name, value in tool_call.function.arguments | dictsort %}
                    {{- name ~ '=' ~ (value | tojson if value is not string else "'" ~ value ~ "'") ~ (', ' if not loop.last else '') }}
                {%- endfor %}
                {{- ')]' }}
            {%- endif %}
        {%- endfor %}
        {{- "<|eot|>" }}
    {%- else %}
        {{- "<|header_start|>ipython<|header_end|>\\n\\n" }}
        {{- message.content | tojson if message.content is mapping or (message.content is iterable and message.content is not string) else message.content }}
        {{- "<|eot|>" }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|header_start|>assistant<|header_end|>\\n\\n' }}
{%- endif %}
""",
    "mistral small": """{%- set today = strftime_now("%Y-%m-%d") %}
{%- set default_system_message = "You are patient.\\nToday is " + today + "." %}
{{- bos_token }}
{%- if messages[0]['role'] == 'system' %}
    {%- if messages[0]['content'] is string %}
        {%- set system_message = messages[0]['content'] %}
    {%- else %}
        {%- set system_message = messages[0]['content'][0]['text'] %}
    {%- endif %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = default_system_message %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '[SYSTEM_PROMPT]' + system_message + '[/SYSTEM_PROMPT]' }}
{%- for message in loop_messages %}
    {%- if message['role'] == 'user' %}
        {%- if message['content'] is string %}
            {{- '[INST]' + message['content'] + '[/INST]' }}
        {%- else %}
            {{- '[INST]' }}
            {%- for block in message['content'] %}
                {%- if block['type'] == 'text' %}
                    {{- block['text'] }}
                {%- elif block['type'] in ['image', 'image_url'] %}
                    {{- '[IMG]' }}
                {%- else %}
                    {{- raise_exception('Only text and images may stand in a question') }}
                {%- endif %}
            {%- endfor %}
            {{- '[/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'system' %}
        {{- '[SYSTEM_PROMPT]' + message['content'] + '[/SYSTEM_PROMPT]' }}
    {%- elif message['role'] == 'assistant' %}
        {%- if message['content'] is string %}
            {{- message['content'] + eos_token }}
        {%- else %}
            {{- message['content'][0]['text'] + eos_token }}
        {%- endif %}
    {%- else %}
        {{- raise_exception('Only user, system and assistant may speak') }}
    {%- endif %}
{%- endfor %}
""",
    "magistral": """{{- bos_token }}
{%- for message in messages %}
    {%- if message.role == 'system' %}
        {{- '[SYSTEM_PROMPT]' ~ message.content ~ '[/SYSTEM_PROMPT]' }}
    {%- elif message.role == 'user' %}
        {{- '[INST]' ~ (message.content if message.content is string else message.content | selectattr('type', 'equalto', 'text') | map(attribute='text') | join('')) ~ '[/INST]' }}
    {%- elif message.role == 'assistant' %}
        {%- if message.reasoning_content is defined and message.reasoning_content %}
            {{- '[THINK]' ~ message.reasoning_content ~ '[/THINK]' }}
        {%- endif %}
        {{- message.content or '' }}
        {%- for call in message.tool_calls | default([], true) %}
            {{- '[TOOL_CALLS]' ~ call.function.name ~ '[ARGS]' ~ (call.function.arguments if call.function.arguments is string else call.function.arguments | tojson) }}
        {%- endfor %}
        {{- eos_token }}
    {%- elif message.role == 'tool' %}
        {{- '[TOOL_RESULTS]' ~ message.content ~ '[/TOOL_RESULTS]' }}
    {%- endif %}
{%- endfor %}
""",
    "command with documents": """{{ bos_token }}{%- if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{%- set system_message = messages[0]['content'] %}{%- else %}{% set loop_messages = messages %}{%- set system_message = '## Task\\nAnswer from what you are given.' %}{%- endif %}
{{- '<|TURN|><|SYSTEM|>' ~ system_message ~ '<|END|>' }}
{%- for message in loop_messages %}
    {%- set content = message['content'] %}
    {%- if message['role'] == 'user' %}
        {{- '<|TURN|><|USER|>' ~ content.strip() ~ '<|END|>' }}
    {%- elif message['role'] in ['assistant', 'chatbot'] %}
        {{- '<|TURN|><|BOT|>' ~ (content or '').strip() ~ '<|END|>' }}
    {%- endif %}
{%- endfor %}
{{- '<|TURN|><|SYSTEM|><results>\\n' }}
{%- for document in documents or [] %}
    {{- 'Document: ' ~ loop.index0 ~ '\\n' }}
    {%- for key, value in document.items() %}
        {{- key ~ ': ' ~ value ~ '\\n' }}
    {%- endfor %}
    {{- '\\n' if not loop.last }}
{%- endfor %}
{{- '</results><|END|>' }}
{%- if add_generation_prompt %}{{- '<|TURN|><|BOT|>' }}{%- endif %}
""",
    "hermes tools": """{%- macro python_type(spec) %}
    {%- set basic = {"string": "str", "number": "float", "integer": "int", "boolean": "bool"} %}
    {%- if basic[spec.type] is defined %}
        {{- basic[spec.type] }}
    {%- elif spec.type == "array" %}
        {{- "list[" + python_type(spec["items"]) + "]" }}
    {%- elif spec.type == "object" %}
        {%- if spec.additionalProperties is defined %}
            {{- "dict[str, " + python_type(spec.additionalProperties) + ']' }}
        {%- else %}
            {{- "dict" }}
        {%- endif %}
    {%- elif spec.type is iterable and spec.type is not string %}
        {{- "Union[" }}
        {%- for t in spec.type %}
            {{- python_type({"type": t}) }}
            {%- if not loop.last %}
                {{- "," }}
            {%- endif %}
        {%- endfor %}
        {{- "]" }}
    {%- else %}
        {{- "Any" }}
    {%- endif %}
{%- endmacro %}
{{- bos_token }}
{{- '<|im_start|>system\\nYou may call what stands in <tools>: <tools> ' }}
{%- for tool in tools or [] %}
    {%- if tool.function is defined %}
        {%- set tool = tool.function %}
    {%- endif %}
    {{- '{"type": "function", "function": ' }}
    {{- '{"name": "' + tool.name + '", ' }}
    {{- '"description": "' + tool.name + '(' }}
    {%- for name, spec in tool.parameters.properties | items %}
        {{- name + ": " + python_type(spec) }}
        {%- if not loop.last %}
            {{- ", " }}
        {%- endif %}
    {%- endfor %}
    {{- ")" }}
    {%- if tool.return is defined %}
        {{- " -> " + python_type(tool.return) }}
    {%- endif %}
    {{- " - " + tool.description + "\\n\\n" }}
    {%- for name, spec in tool.parameters.properties | items %}
        {%- if loop.first %}
            {{- "    Args:\\n" }}
        {%- endif %}
        {{- "        " + name + "(" + python_type(spec) + "): " + (spec.description | default('', true) | trim) }}
    {%- endfor %}
    {{- '", "parameters": ' }}
    {%- if tool.parameters.properties | length == 0 %}
        {{- "{}" }}
    {%- else %}
        {{- tool.parameters | tojson }}
    {%- endif %}
    {{- "}" }}
    {%- if not loop.last %}
        {{- "\\n" }}
    {%- endif %}
{%- endfor %}
{{- " </tools><|im_end|>\\n" }}
{%- for message in messages %}
    {%- if message.role == "user" or message.role == "system" or (message.role == "assistant" and message.tool_calls is not defined) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role }}
        {%- for tool_call in message.tool_calls %}
            {{- '\\n<tool_call>\\n' }}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '{"name": "' + tool_call.name + '", "arguments": ' + tool_call.arguments | tojson + '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}
            {{- '<|im_start|>tool\\n' }}
        {%- endif %}
        {{- '<tool_response>\\n' }}
        {{- message.content }}
        {%- if not loop.last %}
            {{- '\\n</tool_response>\\n' }}
        {%- else %}
            {{- '\\n</tool_response>' }}
        {%- endif %}
        {%- if not loop.last and loop.nextitem.role != "tool" %}
            {{- '<|im_end|>' }}
        {%- elif loop.last %}
            {{- '<|im_end|>' }}
        {%- endif %}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "deepseek v3": """{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% if not thinking is defined %}{% set thinking = false %}{% endif %}
{%- set ns = namespace(is_first=false, is_tool=false, system_prompt='', is_first_sp=true, is_last_user=false) %}
{%- for message in messages %}{%- if message['role'] == 'system' %}{%- if ns.is_first_sp %}{% set ns.system_prompt = ns.system_prompt + message['content'] %}{% set ns.is_first_sp = false %}{%- else %}{% set ns.system_prompt = ns.system_prompt + '\\n\\n' + message['content'] %}{%- endif %}{%- endif %}{%- endfor %}
{{- bos_token }}{{ ns.system_prompt }}
{%- for message in messages %}
    {%- if message['role'] == 'user' %}{%- set ns.is_tool = false -%}{%- set ns.is_first = false -%}{%- set ns.is_last_user = true -%}{{- '<|User|>' + message['content'] }}{%- endif %}
    {%- if message['role'] == 'assistant' and message['tool_calls'] is defined and message['tool_calls'] is not none %}
        {%- if ns.is_last_user %}{{- '<|Assistant|></think>' }}{%- endif %}
        {%- set ns.is_last_user = false -%}{%- set ns.is_first = false %}{%- set ns.is_tool = false -%}
        {%- for tool in message['tool_calls'] %}
            {%- if not ns.is_first %}
                {%- if message['content'] is none %}{{- '<|calls|><|call|>' + tool['function']['name'] + '<|sep|>' + tool['function']['arguments'] | tojson + '<|call_end|>' }}
                {%- else %}{{- message['content'] + '<|calls|><|call|>' + tool['function']['name'] + '<|sep|>' + tool['function']['arguments'] | tojson + '<|call_end|>' }}{%- endif %}
                {%- set ns.is_first = true -%}
            {%- else %}{{- '<|call|>' + tool['function']['name'] + '<|sep|>' + tool['function']['arguments'] | tojson + '<|call_end|>' }}{%- endif %}
        {%- endfor %}
        {{- '<|calls_end|>' + eos_token }}
    {%- endif %}
    {%- if message['role'] == 'assistant' and (message['tool_calls'] is not defined or message['tool_calls'] is none) %}
        {%- if ns.is_last_user %}{{- '<|Assistant|>' }}{%- if message['prefix'] is defined and message['prefix'] and thinking %}{{- '<think>' }}{%- else %}{{- '</think>' }}{%- endif %}{%- endif %}
        {%- set ns.is_last_user = false -%}
        {%- if ns.is_tool %}{{- message['content'] + eos_token }}{%- set ns.is_tool = false -%}
        {%- else %}{%- set content = message['content'] -%}{%- if '</think>' in content %}{%- set content = content.split('</think>', 1)[1] -%}{%- endif %}{{- content + eos_token }}{%- endif %}
    {%- endif %}
    {%- if message['role'] == 'tool' %}{%- set ns.is_last_user = false -%}{%- set ns.is_tool = true -%}{{- '<|output|>' + message['content'] + '<|output_end|>' }}{%- endif %}
{%- endfor -%}
{%- if add_generation_prompt and ns.is_last_user and not ns.is_tool %}{{- '<|Assistant|>' }}{%- if not thinking %}{{- '</think>' }}{%- else %}{{- '<think>' }}{%- endif %}{% endif %}
""",
    "deepseek coder": "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{%- set ns = namespace(found=false) -%}{%- for message in messages -%}{%- if message['role'] == 'system' -%}{%- set ns.found = true -%}{%- endif -%}{%- endfor -%}"
    "{{bos_token}}{%- if not ns.found -%}{{'You write programs and nothing else\\n'}}{%- endif %}{%- for message in messages %}{%- if message['role'] == 'system' %}{{ message['content'] }}{%- else %}{%- if message['role'] == 'user' %}"
    "{{'### Instruction:\\n' + message['content'] + '\\n'}}{%- else %}{{'### Response:\\n' + message['content'] + '\\n<|EOT|>\\n'}}{%- endif %}{%- endif %}{%- endfor %}{% if add_generation_prompt %}{{'### Response:'}}{% endif %}",
    "glm 4.5": """[gMASK]<sop>
{%- if tools -%}
<|system|>
# Tools

<tools>
{% for tool in tools %}
{{ tool | tojson(ensure_ascii=False) }}
{% endfor %}
</tools>{%- endif -%}
{%- macro visible(content) -%}
    {%- if content is string -%}
        {{- content }}
    {%- elif content is iterable and content is not mapping -%}
        {%- for item in content -%}
            {%- if item is mapping and item.type == 'text' -%}
                {{- item.text }}
            {%- elif item is string -%}
                {{- item }}
            {%- endif -%}
        {%- endfor -%}
    {%- else -%}
        {{- content }}
    {%- endif -%}
{%- endmacro -%}
{%- set ns = namespace(last_user_index=-1) %}
{%- for m in messages %}
    {%- if m.role == 'user' %}
        {% set ns.last_user_index = loop.index0 -%}
    {%- endif %}
{%- endfor %}
{% for m in messages %}
{%- if m.role == 'user' -%}<|user|>
{{ visible(m.content) }}
{{- '/nothink' if (enable_thinking is defined and not enable_thinking and not visible(m.content).endswith("/nothink")) else '' -}}
{%- elif m.role == 'assistant' -%}
<|assistant|>
{%- set reasoning_content = '' %}
{%- set content = visible(m.content) %}
{%- if m.reasoning_content is string %}
    {%- set reasoning_content = m.reasoning_content %}
{%- else %}
    {%- if '</think>' in content %}
        {%- set reasoning_content = content.split('</think>')[0].rstrip('\\n').split('<think>')[-1].lstrip('\\n') %}
        {%- set content = content.split('</think>')[-1].lstrip('\\n') %}
    {%- endif %}
{%- endif %}
{%- if loop.index0 > ns.last_user_index and reasoning_content -%}
{{ '\\n<think>' + reasoning_content.strip() + '</think>'}}
{%- else -%}
{{ '\\n<think></think>' }}
{%- endif -%}
{%- if content.strip() -%}
{{ '\\n' + content.strip() }}
{%- endif -%}
{% if m.tool_calls %}
{% for tc in m.tool_calls %}
{%- if tc.function %}
    {%- set tc = tc.function %}
{%- endif %}
{{ '\\n<tool_call>' + tc.name }}
{% set _args = tc.arguments %}
{% for k, v in _args.items() %}
<arg_key>{{ k }}</arg_key>
<arg_value>{{ v | tojson(ensure_ascii=False) if v is not string else v }}</arg_value>
{% endfor %}
</tool_call>{% endfor %}
{% endif %}
{%- elif m.role == 'tool' -%}
{%- if m.content is string -%}
{%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}
    {{- '<|observation|>' }}
{%- endif %}
{{- '\\n<tool_response>\\n' }}
{{- m.content }}
{{- '\\n</tool_response>' }}
{%- endif -%}
{%- elif m.role == 'system' -%}
<|system|>
{{ visible(m.content) }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    <|assistant|>{{- '\\n<think></think>' if (enable_thinking is defined and not enable_thinking) else '' -}}
{%- endif -%}
""",
    "qwen coder": """{% macro more(object, handled) %}
    {%- if object is mapping %}
        {%- for key in object if key not in handled %}
            {%- if object[key] is mapping or (object[key] is sequence and object[key] is not string) %}
                {{- '\\n<' ~ key ~ '>' ~ (object[key] | tojson | safe) ~ '</' ~ key ~ '>' }}
            {%- else %}
                {{- '\\n<' ~ key ~ '>' ~ (object[key] | string) ~ '</' ~ key ~ '>' }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{% endmacro %}
{%- if messages[0]["role"] == "system" %}
    {%- set system_message = messages[0]["content"] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}
    {%- set tools = [] %}
{%- endif %}
{%- if system_message is defined %}
    {{- "<|im_start|>system\\n" + system_message }}
{%- else %}
    {%- if tools is iterable and tools | length > 0 %}
        {{- "<|im_start|>system\\nYou write programs." }}
    {%- endif %}
{%- endif %}
{%- if tools is iterable and tools | length > 0 %}
    {{- "\\n\\n# Tools\\n\\n<tools>" }}
    {%- for tool in tools %}
        {%- if tool.function is defined %}
            {%- set tool = tool.function %}
        {%- endif %}
        {{- "\\n<function>\\n<name>" ~ tool.name ~ "</name>" }}
        {%- if tool.description is defined %}
            {{- '\\n<description>' ~ (tool.description | trim) ~ '</description>' }}
        {%- endif %}
        {{- '\\n<parameters>' }}
        {%- if tool.parameters is defined and tool.parameters is mapping and tool.parameters.properties is defined and tool.parameters.properties is mapping %}
            {%- for param_name, param_fields in tool.parameters.properties | items %}
                {{- '\\n<parameter>' }}
                {{- '\\n<name>' ~ param_name ~ '</name>' }}
                {%- if param_fields.type is defined %}
                    {{- '\\n<type>' ~ (param_fields.type | string) ~ '</type>' }}
                {%- endif %}
                {%- set handled_keys = ['name', 'type'] %}
                {{- more(param_fields, handled_keys) }}
                {{- '\\n</parameter>' }}
            {%- endfor %}
        {%- endif %}
        {{- more(tool.parameters, ['type', 'properties']) }}
        {{- '\\n</parameters>\\n</function>' }}
    {%- endfor %}
    {{- "\\n</tools>" }}
{%- endif %}
{%- if system_message is defined or (tools is iterable and tools | length > 0) %}
    {{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in loop_messages %}
    {%- if message.role == "assistant" and message.tool_calls is defined and message.tool_calls is iterable and message.tool_calls | length > 0 %}
        {{- '<|im_start|>' + message.role }}
        {%- if message.content is defined and message.content is string and message.content | trim | length > 0 %}
            {{- '\\n' + message.content | trim + '\\n' }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n<function=' + tool_call.name + '>\\n' }}
            {%- if tool_call.arguments is defined %}
                {%- for args_name, args_value in tool_call.arguments | items %}
                    {{- '<parameter=' + args_name + '>\\n' }}
                    {%- set args_value = args_value | tojson | safe if args_value is mapping or (args_value is sequence and args_value is not string) else args_value | string %}
                    {{- args_value }}
                    {{- '\\n</parameter>\\n' }}
                {%- endfor %}
            {%- endif %}
            {{- '</function>\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == "tool" %}
        {%- if loop.previtem and loop.previtem.role != "tool" %}
            {{- '<|im_start|>user\\n' }}
        {%- endif %}
        {{- '<tool_response>\\n' + message.content + '\\n</tool_response>\\n' }}
        {%- if not loop.last and loop.nextitem.role != "tool" %}
            {{- '<|im_end|>\\n' }}
        {%- elif loop.last %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
    "qwen with pictures": """{% set image_count = namespace(value=0) %}{% set video_count = namespace(value=0) %}{% for message in messages %}{% if loop.first and message['role'] != 'system' %}<|im_start|>system
You see and answer.<|im_end|>
{% endif %}<|im_start|>{{ message['role'] }}
{% if message['content'] is string %}{{ message['content'] }}<|im_end|>
{% else %}{% for content in message['content'] %}{% if content['type'] == 'image' or 'image' in content or 'image_url' in content %}{% set image_count.value = image_count.value + 1 %}{% if add_vision_id %}Picture {{ image_count.value }}: {% endif %}<|vision_start|><|image_pad|><|vision_end|>{% elif content['type'] == 'video' or 'video' in content %}{% set video_count.value = video_count.value + 1 %}<|video_pad|>{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>
{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant
{% endif %}""",
    "idefics": "{% for message in messages %}{{message['role'].capitalize()}}{% if message['content'][0]['type'] == 'image' %}{{':'}}{% else %}{{': '}}{% endif %}{% for line in message['content'] %}{% if line['type'] == 'text' %}{{line['text']}}{% elif line['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}",
    "llava": "{% for message in messages %}{% if message['role'] != 'system' %}{{ message['role'].upper() + ': '}}{% endif %}{# pictures first #}{% for content in message['content'] | selectattr('type', 'equalto', 'image') %}{{ '<image>\n' }}{% endfor %}{# then texts #}{% if message['role'] != 'assistant' %}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{{ content['text'] + ' '}}{% endfor %}"
    "{% else %}{% for content in message['content'] | selectattr('type', 'equalto', 'text') %}{% generation %}{{ content['text'] + ' '}}{% endgeneration %}{% endfor %}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}",
    "granite 3": """{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set system_message = "Knowledge ends in April.\\nToday is " + strftime_now('%B %d, %Y') + ".\\nYou answer." %}
    {%- if tools and documents %}
        {%- set system_message = system_message + " Use the tools and the documents." %}
    {%- elif tools %}
        {%- set system_message = system_message + " Use the tools." %}
    {%- elif documents %}
        {%- set system_message = system_message + " Keep to the documents." %}
    {%- elif thinking %}
        {%- set system_message = system_message + " Think first, between <think> and </think>." %}
    {%- endif %}
    {%- if 'citations' in controls and documents %}
        {%- set system_message = system_message + '\\nCite.' %}
    {%- endif %}
    {%- set loop_messages = messages %}
{%- endif %}
{{- '<|start_of_role|>system<|end_of_role|>' + system_message + '<|end_of_text|>\\n' }}
{%- if tools %}
    {{- '<|start_of_role|>available_tools<|end_of_role|>' }}
    {{- tools | tojson(indent=4) }}
    {{- '<|end_of_text|>\\n' }}
{%- endif %}
{%- if documents %}
    {%- for document in documents %}
        {{- '<|start_of_role|>document {"document_id": "' + (document['doc_id'] | string if document['doc_id'] else loop.index | string) + '"}<|end_of_role|>\\n' }}
        {{- document['text'] }}
        {{- '<|end_of_text|>\\n' }}
    {%- endfor %}
{%- endif %}
{%- for message in loop_messages %}
    {{- '<|start_of_role|>' + message['role'] + '<|end_of_role|>' + message['content'] + '<|end_of_text|>\\n' }}
    {%- if loop.last and add_generation_prompt %}
        {{- '<|start_of_role|>assistant' }}
        {%- if controls %}
            {{- ' ' + controls | tojson() }}
        {%- endif %}
        {{- '<|end_of_role|>' }}
    {%- endif %}
{%- endfor %}
""",
    "phi 4 mini": "{% for message in messages %}{% if message['role'] == 'system' and 'tools' in message and message['tools'] is not none %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|tool|>' + message['tools'] + '<|/tool|>' + '<|end|>' }}{% else %}{{ '<|' + message['role'] + '|>' + message['content'] + '<|end|>' }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% else %}{{ eos_token }}{% endif %}",
    "kimi": """{%- macro content_of(message) -%}
  {%- set c = message.get('content') -%}
  {%- if c is string -%}
    {{ c }}
  {%- elif c is not none -%}
    {% for part in c -%}
      {% if part['type'] == 'image' or part['type'] == 'image_url' -%}
        <|media|>
      {%- else -%}
        {{ part['text'] }}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
{%- endmacro -%}
{%- macro role_mark(message) -%}
  {%- set role_name = message.get('name') or message['role'] -%}
  {%- if message['role'] == 'user' -%}
    <|im_user|>{{ role_name }}<|im_middle|>
  {%- elif message['role'] == 'assistant' -%}
    <|im_assistant|>{{ role_name }}<|im_middle|>
  {%- else -%}
    <|im_system|>{{ role_name }}<|im_middle|>
  {%- endif -%}
{%- endmacro -%}
{%- if tools -%}
  <|im_system|>tool_declare<|im_middle|>{{ tools | tojson(separators=(',', ':')) }}<|im_end|>
{%- endif -%}
{% for message in messages %}
  {%- if loop.first and messages[0]['role'] != 'system' -%}
    <|im_system|>system<|im_middle|>You answer.<|im_end|>
  {% endif %}
  {{- role_mark(message) -}}
  {%- if message['role'] == 'assistant' and message.get('tool_calls') -%}
    {{ content_of(message) }}<|calls|>
    {%- for tool_call in message['tool_calls'] -%}
    <|call|>{{ tool_call['id'] }}<|args|>{% if tool_call['function']['arguments'] is string %}{{ tool_call['function']['arguments'] }}{% else %}{{ tool_call['function']['arguments'] | tojson }}{% endif %}<|call_end|>
    {%- endfor -%}
    <|calls_end|>
  {%- elif message['role'] == 'tool' -%}
    {%- set tool_call_id = message.tool_call_id -%}
    ## Return of {{ tool_call_id }}
{{ content_of(message) }}
  {%- elif message['content'] is not none -%}
    {{ content_of(message) }}
  {%- endif -%}
  <|im_end|>
{%- endfor -%}
{%- if add_generation_prompt -%}
  <|im_assistant|>assistant<|im_middle|>
{%- endif -%}
""",
    "minimax": """{# marks #}{%- set toolcall_begin = '<calls>' -%}{%- set toolcall_end = '</calls>' -%}
{%- macro tool_list(tools) -%}
{%- for tool in tools -%}
<tool>{{ tool.function | tojson(ensure_ascii=False) }}</tool>
{% endfor -%}
{%- endmacro -%}
{%- macro system_text(message) -%}
{%- if message and message.content -%}
    {{- message.content if message.content is string else message.content | map(attribute='text') | join('') }}
{%- else -%}
    {{- model_identity | default('You answer.', true) }}
{%- endif -%}
{%- if message and message.current_date -%}{{- '\n' ~ 'Date: ' + message.current_date }}{%- endif -%}
{%- endmacro -%}
{%- set system_message = none -%}
{%- set conversation_messages = messages -%}
{%- if messages and messages[0].role == "system" -%}
    {%- set system_message = messages[0] -%}
    {%- set conversation_messages = messages[1:] -%}
{%- endif -%}
{%- set ns = namespace(last_user_index=-1) %}
{% for m in conversation_messages %}
    {%- if m.role == 'user' %}
        {% set ns.last_user_index = loop.index0 -%}
    {%- endif %}
{%- endfor %}
{{- ']~!b[' ~ ']~b]system' ~ '\n' }}
{{- system_text(system_message) }}
{%- if tools -%}
    {{- '\n\n' ~ '# Tools' ~ '\n' }}
    {{- tool_list(tools) }}
{%- endif -%}
{{- '[e~[\n' }}
{%- set last_tool_call = namespace(name=none) -%}
{%- for message in conversation_messages -%}
    {%- if message.role == 'assistant' -%}
        {{- ']~b]ai' ~ '\n' }}
        {%- set reasoning_content = '' %}
        {%- set content = message.content or '' %}
        {%- if message.reasoning_content is string %}
            {%- set reasoning_content = message.reasoning_content %}
        {%- elif '</think>' in content %}
            {%- set reasoning_content = content.split('</think>')[0].strip('\n').split('<think>')[-1].strip('\n') %}
            {%- set content = content.split('</think>')[-1].strip('\n') %}
        {%- endif %}
        {%- if reasoning_content and loop.index0 > ns.last_user_index -%}
            {{- '<think>' ~ '\n' ~ reasoning_content ~ '\n' ~ '</think>' ~ '\n\n' }}
        {%- endif -%}
        {%- if content -%}{{- content }}{%- endif -%}
        {%- if message.tool_calls -%}
            {{- '\n' ~ toolcall_begin ~ '\n' }}
            {%- for tool_call in message.tool_calls -%}
                {%- if tool_call.function %}{%- set tool_call = tool_call.function %}{%- endif %}
                {{- '<invoke name="' + tool_call.name + '">' }}
                {% for k, v in tool_call.arguments.items() %}
                {{- '<parameter name="' + k + '">' }}
                {{- v | tojson(ensure_ascii=False) if v is not string else v }}
                {{- '</parameter>' }}
                {% endfor %}
                {{- '</invoke>' ~ '\n' }}
            {%- endfor -%}
            {{- toolcall_end }}
            {%- set last_tool_call.name = message.tool_calls[-1].function.name -%}
        {%- else -%}
            {%- set last_tool_call.name = none -%}
        {%- endif -%}
        {{- '[e~[' ~ '\n' }}
    {%- elif message.role == 'tool' -%}
        {%- if last_tool_call.name is none -%}
            {{- raise_exception("No call was before this") }}
        {%- endif -%}
        {%- if loop.first or (conversation_messages[loop.index0 - 1].role != 'tool') -%}
            {{- ']~b]tool' }}
        {%- endif -%}
        {{- '\n<response>' ~ (message.content if message.content is string else '') ~ '</response>' }}
        {%- if loop.last or (conversation_messages[loop.index0 + 1].role != 'tool') -%}
            {{- '[e~[\n' -}}
        {%- endif -%}
    {%- elif message.role == 'user' -%}
        {{- ']~b]user' ~ '\n' ~ (message.content if message.content is string else message.content | map(attribute='text') | join) ~ '[e~[' ~ '\n' }}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- ']~b]ai' ~ '\n' ~ '<think>' ~ '\n' }}
{%- endif -%}
""",
    "seed with a budget": """{%- if messages[0]["role"] == "system" %}{%- set system_message = messages[0]["content"] %}{%- set loop_messages = messages[1:] %}{%- else %}{%- set loop_messages = messages %}{%- endif %}
{%- if not thinking_budget is defined %}{%- set thinking_budget = -1 %}{%- endif -%}
{%- set budgets = {0: 0, 512: 128, 1024: 256, 2048: 512} -%}
{%- set ns = namespace(interval=None) -%}
{%- for k, v in budgets | dictsort -%}
    {%- if ns.interval is none and thinking_budget <= k -%}{%- set ns.interval = v -%}{%- endif -%}
{%- endfor -%}
{%- if ns.interval is none -%}{%- set ns.interval = budgets[2048] -%}{%- endif -%}
{%- if system_message is defined %}{{ bos_token + "system\\n" + system_message }}{{ eos_token }}{%- endif %}
{%- if thinking_budget == 0 %}{{ bos_token + "system\\nAnswer without a thought." + eos_token }}{% elif not thinking_budget == -1 -%}
{{ bos_token + "system\\nThink in " }}{{ thinking_budget }}{{ " tokens, and look back every " ~ ns.interval }}{{ eos_token }}{%- endif -%}
{%- for message in loop_messages %}
{%- if message.role == "user" %}{{ bos_token + "user\\n" + message.content }}{{ eos_token }}
{%- elif message.role == "assistant" and message.content %}{{ bos_token + "assistant" }}{%- if message.reasoning_content is defined and message.reasoning_content is string and message.reasoning_content | trim | length > 0 %}{{ "\\n<seed:think>" + message.reasoning_content | trim + "</seed:think>" }}{%- endif %}{{ "\\n" + message.content | trim + eos_token }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{ bos_token + "assistant\\n" }}{%- if thinking_budget == 0 %}{{ "<seed:think></seed:think>" }}{%- endif %}{%- endif %}
""",
    "lfm": """{{- bos_token -}}
{%- set keep_past_thinking = keep_past_thinking | default(false) -%}
{%- set ns = namespace(system_prompt="", last_assistant_index=-1) -%}
{%- if messages[0]["role"] == "system" -%}
    {%- set ns.system_prompt = messages[0]["content"] -%}
    {%- set messages = messages[1:] -%}
{%- endif -%}
{%- if tools -%}
    {%- set ns.system_prompt = ns.system_prompt + ("\\n" if ns.system_prompt else "") + "List of tools: [" -%}
    {%- for tool in tools -%}
        {%- if tool is not string -%}
            {%- set tool = tool | tojson -%}
        {%- endif -%}
        {%- set ns.system_prompt = ns.system_prompt + tool -%}
        {%- if not loop.last -%}
            {%- set ns.system_prompt = ns.system_prompt + ", " -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set ns.system_prompt = ns.system_prompt + "]" -%}
{%- endif -%}
{%- if ns.system_prompt -%}
    {{- "<|im_start|>system\\n" + ns.system_prompt + "<|im_end|>\\n" -}}
{%- endif -%}
{%- for message in messages -%}
    {%- if message["role"] == "assistant" -%}
        {%- set ns.last_assistant_index = loop.index0 -%}
    {%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
    {{- "<|im_start|>" + message["role"] + "\\n" -}}
    {%- set content = message["content"] -%}
    {%- if content is not string -%}
        {%- set content = content | tojson -%}
    {%- endif -%}
    {%- if message["role"] == "assistant" and not keep_past_thinking and loop.index0 != ns.last_assistant_index -%}
        {%- if "</think>" in content -%}
            {%- set content = content.split("</think>")[-1] | trim -%}
        {%- endif -%}
    {%- endif -%}
    {{- content + "<|im_end|>\\n" -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- "<|im_start|>assistant\\n" -}}
{%- endif -%}
""",
    "jamba": """{# Variables #}
{% set ns = namespace(message_count=0, is_last_checked_defined=False) %}
{% set bom_str = bom_str or "<|bom|>" %}
{% set eom_str = eom_str or "<|eom|>" %}
{% set default_system_message = default_system_message or "" %}
{# Macros #}
{% macro handle_single_message(role, content, prefix='') %}
{% set bom_str = bom_str or "<|bom|>" %}
{{ bom_str + "<|" + role + "|> " + prefix + (content or '') + (eom_str or "<|eom|>") }}
{%- endmacro %}
{% macro as_lines(rows) %}
{% for row in rows %}
{{ loop.index }}/{{ loop.length }} {{ loop.revindex }} {{ loop.revindex0 }} {{ loop.depth }}: {{ row }}{{ loop.cycle(',', ';') }}
{% endfor %}
{% endmacro %}
{{ bos_token }}
{%- if messages and messages[0].role == 'system' %}
{{- handle_single_message('system', messages[0].content) }}
{%- set messages = messages[1:] %}
{%- elif default_system_message %}
{{- handle_single_message('system', default_system_message) }}
{%- endif %}
{{- as_lines(messages | map(attribute='role') | list) }}
{%- for message in messages %}
{%- set ns.message_count = ns.message_count + 1 %}
{{- handle_single_message(message.role, message.content if message.content is string else '', prefix=ns.message_count ~ '. ') }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- (bom_str or "") + '<|assistant|>' }}
{%- endif %}
""",
    "dbrx": "{% if messages[0]['role'] == 'system' %}{% set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}{% elif not 'system' in messages | map(attribute='role') | list %}{% set loop_messages = messages %}{% set system_message = 'You answer in short sentences.' %}{% else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}"
    "{% for message in loop_messages %}{% if loop.index0 == 0 %}{% if system_message != false %}{{ '<|im_start|>system\n' + system_message | trim + '<|im_end|>\n'}}{% endif %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' }}{% else %}{{ '\n' + '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' }}{% endif %}"
    "{% if (add_generation_prompt == true and loop.last) %}{{ '\n' + '<|im_start|>' + 'assistant' + '\n' }}{% endif %}{% endfor %}",
    "yi": "{% if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{% if messages[0]['role'] == 'system' %}{% set system_message = messages[0]['content'] %}{% endif %}{% if system_message is defined %}{{ system_message }}{% endif %}{% for message in messages %}{% set content = message['content'] %}{% if message['role'] == 'user' %}{{ '<|im_start|>user\\n' + content + '<|im_end|>\\n<|im_start|>assistant\\n' }}{% elif message['role'] == 'assistant' %}{{ content + '<|im_end|>' + '\\n' }}{% endif %}{% endfor %}",
    "nemotron nano": """{% set ns = namespace(enable_thinking=true) %}{% for message in messages %}{% set content = message.content %}{% if message.role == 'user' or message.role == 'system' %}{% if '/think' in content and '</think>' not in content %}{% set ns.enable_thinking = true %}{% elif '/no_think' in content %}{% set ns.enable_thinking = false %}{% endif %}{% endif %}{% endfor %}
{{- bos_token }}{% if messages[0].role != 'system' %}<SPECIAL_10>System
{% endif %}{% for message in messages %}{% if message.role == 'system' %}<SPECIAL_10>System
{{ message.content.replace('/think', '').replace('/no_think', '').strip() }}
{% elif message.role == 'user' %}<SPECIAL_11>User
{{ message.content | replace('/no_think', '') | trim }}
{% elif message.role == 'tool' %}{% if loop.first or messages[loop.index0 - 1].role != 'tool' %}<SPECIAL_11>User
<TOOL_RESPONSE>[{% endif %}{{ message.content }}{{ ', ' if not loop.last and messages[loop.index0 + 1].role == 'tool' else '' }}{% if loop.last or messages[loop.index0 + 1].role != 'tool' %}]</TOOL_RESPONSE>
{% endif %}{% elif message.role == 'assistant' %}{% if '</think>' in (message.content or '') %}{% set content = message.content.split('</think>')[1].strip() %}{% else %}{% set content = (message.content or '').strip() %}{% endif %}<SPECIAL_11>Assistant
{{ content }}{% if message.tool_calls %}{% if content != '' %}{{ '\\n\\n' }}{% endif %}<TOOLCALL>[{% for call in message.tool_calls %}{% set fn = call.function if call.function is defined else call %}{"name": "{{ fn.name }}", "arguments": {% if fn.arguments is string %}{{ fn.arguments }}{% else %}{{ fn.arguments | tojson }}{% endif %}}{{ ', ' if not loop.last else '' }}{% endfor %}]</TOOLCALL>{% endif %}

<SPECIAL_12>
{% endif %}{% endfor %}{% if add_generation_prompt %}<SPECIAL_11>Assistant
{% if ns.enable_thinking is defined and ns.enable_thinking is false %}<think></think>{% else %}<think>
{% endif %}{% endif %}""",
    "functionary": """{# version=v3-ours -#}
{%- if not tools is defined -%}{%- set tools = none -%}{%- endif -%}
{%- set has_code = tools | default([], true) | selectattr("type", "equalto", "code_interpreter") | list | length > 0 -%}
{%- set functions = tools | default([], true) | rejectattr("type", "equalto", "code_interpreter") | list -%}
{{ bos_token }}<|header|>system

{{ "You may call functions." if functions else "There is nothing to call." }}{{ " Code runs." if has_code }}
{% for t in functions -%}
{% if "parameters" in t or "function" in t -%}
{% set f = t["function"] or t -%}
Use '{{ f["name"] }}' to: {{ f["description"] }}
{{ f | tojson }}
{% endif -%}
{% endfor -%}
<|eot|>
{%- for message in messages -%}
    {%- if message['role'] in ('user', 'system') -%}
        {{ '<|header|>' + message['role'] + '\n\n' + message['content'] + '<|eot|>' }}
    {%- elif message['role'] == 'tool' -%}
        {{ '<|header|>ipython\n\n' + message['content'] + '<|eot|>' }}
    {%- else -%}
        {{ '<|header|>' + message['role'] + '\n\n' }}
        {%- if message['content'] -%}{{ message['content'] }}{%- endif -%}
        {%- if 'tool_calls' in message and message['tool_calls'] -%}
            {%- for tool_call in message['tool_calls'] -%}
                {%- if tool_call["function"]["name"] == "python" -%}
                    {{ '<|python|>' + tool_call['function']['arguments'] }}
                {%- else -%}
                    {{ '<function=' + tool_call['function']['name'] + '>' + tool_call['function']['arguments'] | string + '</function>' }}
                {%- endif -%}
            {%- endfor -%}
            {{ '<|eom|>' }}
        {%- else -%}
            {{ '<|eot|>' }}
        {%- endif -%}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|header|>assistant\n\n' }}{%- endif -%}
""",
    "exaone 4": """{%- if not skip_think is defined %}
    {%- set skip_think = true %}
{%- endif %}
{%- set role_marks = {'user': '[|user|]', 'assistant': '[|assistant|]', 'system': '[|system|]', 'tool': '[|tool|]'} %}
{%- set end_of_turn = '[|endofturn|]\\n' %}
{%- macro available(tools) %}
    {{- "# Tools" }}
    {%- for tool in tools %}
        {{- "\\n" }}
        {{- "<tool>" }}
        {{- tool | tojson(ensure_ascii=False) | safe }}
        {{- "</tool>" }}
    {%- endfor %}
{%- endmacro %}
{%- set ns = namespace(last_query_index=messages | length - 1) %}
{%- for message in messages %}
    {%- if message.role == "user" and message.content is string %}
        {%- set ns.last_query_index = loop.index0 -%}
    {%- endif %}
{%- endfor %}
{%- for i in range(messages | length) %}
    {%- set msg = messages[i] %}
    {%- set role = msg.role %}
    {%- if role not in role_marks %}
        {{- raise_exception('There is no role ' ~ role) }}
    {%- endif %}
    {%- if i == 0 %}
        {%- if role == 'system' %}
            {{- role_marks['system'] }}
            {{- msg.content }}
            {%- if tools %}
                {{- "\\n\\n" }}{{- available(tools) }}
            {%- endif %}
            {{- end_of_turn -}}
            {%- continue %}
        {%- elif tools %}
            {{- role_marks['system'] }}
            {{- available(tools) }}
            {{- end_of_turn -}}
        {%- endif %}
    {%- endif %}
    {%- if role == 'assistant' %}
        {{- role_marks['assistant'] }}
        {%- if msg.content %}
            {%- if "</think>" in msg.content %}
                {%- set content = msg.content.split('</think>')[-1].strip() %}
                {%- set reasoning_content = msg.content.split('</think>')[0].strip() %}
                {%- if reasoning_content.startswith("<think>") %}
                    {%- set reasoning_content = reasoning_content[9:].strip() %}
                {%- endif %}
            {%- else %}
                {%- set content = msg.content %}
            {%- endif %}
            {%- if not skip_think and reasoning_content %}
                {{- "<think>\\n" ~ reasoning_content ~ "\\n</think>\\n\\n" }}
            {%- else %}
                {{- "<think>\\n\\n</think>\\n\\n" }}
            {%- endif %}
            {{- content }}
        {%- endif %}
        {%- if msg.tool_calls %}
            {%- for tool_call in msg.tool_calls %}
                {%- if loop.index0 > 0 or msg.content %}{{- "\\n" }}{%- endif %}
                {%- set func = tool_call.function if tool_call.function is defined else tool_call %}
                {{- "<tool_call>" }}{{- {"name": func.name, "arguments": func.arguments} | tojson }}{{- "</tool_call>" }}
            {%- endfor %}
        {%- endif %}
        {{- end_of_turn -}}
    {%- elif role == "tool" %}
        {%- if i == 0 or messages[i - 1].role != "tool" %}{{- role_marks['tool'] }}{%- endif %}
        {{- "<tool_result>" ~ msg.content ~ "</tool_result>" }}
        {%- if loop.last or messages[i + 1].role != "tool" %}{{- end_of_turn -}}{%- else %}{{- "\\n" }}{%- endif %}
    {%- else %}
        {{- role_marks[role] }}
        {{- msg.content }}
        {{- end_of_turn -}}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- role_marks['assistant'] }}
    {%- if enable_thinking is defined and enable_thinking is true %}
        {{- "<think>\\n" }}
    {%- else %}
        {{- "<think>\\n\\n</think>\\n\\n" }}
    {%- endif %}
{%- endif %}
""",
    "ernie": """{%- if not add_generation_prompt is defined -%}
    {%- set add_generation_prompt = true -%}
{%- endif -%}
{%- if not cls_token is defined -%}
    {%- set cls_token = "<|begin_of_sentence|>" -%}
{%- endif -%}
{%- if not sep_token is defined -%}
    {%- set sep_token = "<|end_of_sentence|>" -%}
{%- endif -%}
{{- cls_token -}}
{%- for message in messages -%}
    {%- if message["role"] == "user" -%}
        {{- "User: " + message["content"] + "
" -}}
    {%- elif message["role"] == "assistant" -%}
        {{- "Assistant: " -}}
        {% generation %}
        {{- message["content"] + sep_token -}}
        {% endgeneration %}
    {%- elif message["role"] == "system" -%}
        {{- message["content"] + "
" -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- "Assistant: " -}}
{%- endif -%}
""",
    "apertus": """{%- macro render_typescript(spec, depth=0, required=true) -%}
    {%- set pad = '  ' * depth -%}
    {%- if spec.type == 'object' -%}
        {{- '{\\n' -}}
        {%- for name, inner in spec.properties.items() | sort -%}
            {{- pad ~ '  ' ~ name ~ ('' if name in spec.required | default([]) else '?') ~ ': ' ~ render_typescript(inner, depth + 1) ~ ',\\n' -}}
        {%- endfor -%}
        {{- pad ~ '}' -}}
    {%- elif spec.enum is defined -%}
        {%- for value in spec.enum -%}
            {{- value | tojson -}}
            {%- if not loop.last %} | {% endif -%}
        {%- endfor -%}
    {%- else -%}
        {{- {'string': 'string', 'integer': 'number'}.get(spec.type, 'any') -}}
    {%- endif -%}
{%- endmacro -%}
{{ bos_token }}
{%- set ns = namespace(in_assistant=false, in_tool=false, waiting=[]) -%}
{%- if messages and messages[0].role == 'system' -%}
    {{ '<|system_start|>' ~ messages[0].content ~ '<|system_end|>' }}
    {%- set rest = messages[1:] -%}
{%- else -%}
    {{ '<|system_start|>You are of use. Today: ' ~ strftime_now('%Y-%m-%d') ~ '<|system_end|>' }}
    {%- set rest = messages -%}
{%- endif -%}
{{ '<|developer_start|>Deliberation: ' ~ ('enabled' if enable_thinking is defined and enable_thinking else 'disabled') ~ '\\n' }}
{%- if tools -%}
    {{ 'Tools:' }}
    {%- for tool in tools -%}
        {{ '\\n' ~ tool.function.name ~ ' = (_: ' ~ render_typescript(tool.function.parameters) ~ ') => any' }}
    {%- endfor -%}
{%- else -%}
    {{ 'Tools: none' }}
{%- endif -%}
{{ '<|developer_end|>' }}
{%- for message in rest -%}
    {%- if message.role == 'user' -%}
        {%- if ns.in_assistant -%}{{ '<|assistant_end|>' }}{%- set ns.in_assistant = false -%}{%- endif -%}
        {{ '<|user_start|>' ~ (message.content if message.content is string else message.content | map(attribute='text') | join(' ')) ~ '<|user_end|>' }}
    {%- elif message.role == 'assistant' -%}
        {%- if not ns.in_assistant -%}{{ '<|assistant_start|>' }}{%- set ns.in_assistant = true -%}{%- endif -%}
        {%- if message.content -%}{{ message.content }}{%- endif -%}
        {%- for call in message.tool_calls or [] -%}
            {%- set ns.waiting = ns.waiting + [call.function.name] -%}
            {{ ('<|tools_prefix|>[' if loop.first else ', ') ~ {call.function.name: call.function.arguments} | tojson ~ (']<|tools_suffix|>' if loop.last else '') }}
        {%- endfor -%}
    {%- elif message.role == 'tool' -%}
        {{ '[' ~ (ns.waiting | first | default('?')) ~ ': ' ~ message.content ~ ']' }}
        {%- set ns.waiting = ns.waiting[1:] -%}
    {%- endif -%}
{%- endfor -%}
{%- if ns.in_assistant and not add_generation_prompt -%}{{ '<|assistant_end|>' }}{%- endif -%}
{%- if add_generation_prompt -%}{{ '<|assistant_start|>' }}{%- endif -%}
""",
    "gemma with tools": """{{ bos_token }}
{%- set first = namespace(pending=true) -%}
{%- for message in messages -%}
    {%- set role = {'assistant': 'model', 'tool': 'user', 'system': 'user'}.get(message.role, message.role) -%}
    {%- if message.role == 'system' and not loop.first -%}
        {{- raise_exception('The system message comes first') -}}
    {%- endif -%}
    <start_of_turn>{{ role }}
{% if first.pending and tools -%}
        {%- set first.pending = false -%}
{% for tool in tools -%}
{{ tool.function.name }}({{ tool.function.parameters.properties | dictsort | map('first') | join(', ') }}): {{ tool.function.description | replace('"', "'") }}
{% endfor %}
{%- endif -%}
    {%- if message.content is string -%}
        {{- message.content | trim -}}
    {%- elif message.content is iterable -%}
        {%- for part in message.content if part.type in ('text', 'image') -%}
            {{- '<start_of_image>' if part.type == 'image' else part.text | trim -}}
        {%- else -%}
            {{- '(nothing)' -}}
        {%- endfor -%}
    {%- endif -%}
    {%- for call in message.tool_calls | default([]) -%}
```tool_code
{{ call.function.name }}(
        {%- for key, value in call.function.arguments | items -%}
            {{ key }}={{ value | tojson }}{{ ', ' if not loop.last }}
        {%- endfor -%})
```
    {%- endfor -%}
    <end_of_turn>
{% endfor -%}
{%- if add_generation_prompt -%}
<start_of_turn>model
{% endif -%}
""",
    "stable zephyr": "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + '<|endoftext|>' }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + '<|endoftext|>' }}\n{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + '<|endoftext|>' }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
    "tulu 3 with marks": "{% for message in messages -%}{% if message['role'] == 'system' %}{{ '<|system|>\n' + message['content'] + '\n' }}{% elif message['role'] == 'user' %}{{ '<|user|>\n' + message['content'] + '\n' }}{% elif message['role'] == 'assistant' %}{{ '<|assistant|>\n' }}{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}{{ '' if loop.last else '\n' }}{% endif %}{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{%- endfor %}",
    "qwen 3 for training": """{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "user" or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content + '<|im_end|>' + '\\n' }}
    {%- elif message.role == "assistant" %}
        {{- '<|im_start|>' + message.role + '\\n' }}
        {%- generation %}
        {%- if message.reasoning_content is string %}
            {{- '<think>\\n' + message.reasoning_content.strip('\\n') + '\\n</think>\\n\\n' }}
        {%- endif %}
        {{- content.lstrip('\\n') }}
        {%- if message.tool_calls %}
            {%- for tool_call in message.tool_calls %}
                {{- '\\n' if not loop.first or content }}{{- '<tool_call>\\n' ~ (tool_call.function or tool_call) | tojson ~ '\\n</tool_call>' }}
            {%- endfor %}
        {%- endif %}
        {{- '<|im_end|>' }}
        {%- endgeneration %}
        {{- '\\n' }}
    {%- elif message.role == "tool" %}
        {{- '<|im_start|>tool\\n' ~ content ~ '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""",
}

# Names that some are told beside the dialogue.
NAMES = {
    "harmony": [{"reasoning_effort": "high", "model_identity": "You are a lamp."}],
    "llama 4": [{"tools_in_user_message": False}],
    "command with documents": [
        {"documents": [{"title": "Rhine", "text": "It is long."}, {"title": "Elbe", "text": "It is not."}]}
    ],
    "deepseek v3": [{"thinking": True}],
    "glm 4.5": [{"enable_thinking": False}],
    "qwen with pictures": [{"add_vision_id": True}],
    "granite 3": [
        {"documents": [{"doc_id": 7, "text": "It is long."}, {"text": "It is not."}]},
        {"thinking": True, "controls": {"length": "long"}},
        {"documents": [{"text": "So."}], "controls": ["citations"]},
    ],
    "minimax": [{"model_identity": "You are a lamp."}],
    "seed with a budget": [{"thinking_budget": 0}, {"thinking_budget": 700}, {"thinking_budget": 9000}],
    "lfm": [{"keep_past_thinking": True}],
    "exaone 4": [{"enable_thinking": True, "skip_think": False}],
    "apertus": [{"enable_thinking": True}],
    "ernie": [{"cls_token": "<cls>", "sep_token": "<sep>"}],
}
