"""`devicehub completion`: what completes commands, options and choices in a shell, from the parser itself."""

import argparse
import shlex
from collections.abc import Iterator

from devicehub.cli.exits import Exit
from devicehub.cli.grammar import Spelled
from devicehub.cli.output import print_json, say
from devicehub.cli.parser import build_parser

_BASH = """\
_devicehub() {{
    local cur="${{COMP_WORDS[COMP_CWORD]}}" prev="${{COMP_WORDS[COMP_CWORD-1]}}" path="" word
    for word in "${{COMP_WORDS[@]:1:$((COMP_CWORD-1))}}"; do
        case "${{path:+$path }}$word" in
            {paths}) path="${{path:+$path }}$word" ;;
        esac
    done
    case "$path $prev" in
{values}
    esac
    case "$path" in
{words}
    esac
    [[ "$cur" == -* ]] || COMPREPLY+=($(compgen -f -- "$cur"))
}}
complete -o filenames -F _devicehub devicehub"""
_ZSH = "autoload -U +X compinit && compinit -u\nautoload -U +X bashcompinit && bashcompinit\n"


def run(args: argparse.Namespace) -> int:
    """Print the script; `eval "$(devicehub completion bash)"` uses it."""
    commands = list(build_parser().spelled())
    text = fish(commands) if args.shell == "fish" else bash(commands)
    text = _ZSH + text if args.shell == "zsh" else text
    print_json({"shell": args.shell, "script": text}) if args.json else say(text)
    return Exit.OK


def bash(commands: list[Spelled]) -> str:
    """A function of bash; files are offered where a word may be one."""
    paths = "|".join(shlex.quote(" ".join(one.words)) for one in commands if one.words)
    values = [
        f"        {shlex.quote(f'{_path(one)} {name}')}) COMPREPLY=({_offered(argument.choices)}); return ;;"
        for one in commands
        for argument in one.arguments
        for name in argument.names
        if argument.choices
    ]
    words = [f"        {shlex.quote(_path(one))}) COMPREPLY=({_offered(_words(one))}) ;;" for one in commands]
    return _BASH.format(paths=paths, values="\n".join(values), words="\n".join(words))


def fish(commands: list[Spelled]) -> str:
    """Lines of fish's `complete`, each for what may follow the words before."""
    return "\n".join(line for one in commands for line in _fish(one))


def _fish(command: Spelled) -> Iterator[str]:
    seen = [f"__fish_seen_subcommand_from {word}" for word in command.words]
    free = f"not __fish_seen_subcommand_from {' '.join(command.inner)}" if command.inner else ""
    condition = shlex.quote("; and ".join(one for one in (*seen, free) if one) or "true")
    for word in command.inner:
        yield f"complete -c devicehub -f -n {condition} -a {word}"
    for argument in command.arguments:
        names = " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in argument.names)
        choices = f" -a {shlex.quote(' '.join(argument.choices))}" if argument.choices else ""
        required = f" -{'x' if choices else 'r'}" if names and argument.value else ""
        if names or choices:
            yield f"complete -c devicehub -n {condition} {names}{required}{choices} -d {shlex.quote(argument.text)}"


def _path(command: Spelled) -> str:
    return " ".join(command.words)


def _words(command: Spelled) -> tuple[str, ...]:
    options = (name for argument in command.arguments for name in argument.names)
    choices = (one for argument in command.arguments if not argument.names for one in argument.choices)
    return (*command.inner, *choices, *options)


def _offered(words: tuple[str, ...]) -> str:
    return f'$(compgen -W {shlex.quote(" ".join(words))} -- "$cur")'
