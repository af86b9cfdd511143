"""plans.py: what the programs of gateways and nodes make of their files.

Standard input: JSON {"gateways": [{"fabric": "<fabric.json>", "outside": {"device", "mtu", "gateways": {"4", "6"}}, "up": [...]}],
"nodes": [{"settings": "<agent.json>", "address", "mtu"}]}. Standard output: JSON, for each of them its routes, rules and MTU.
"""
import json
import sys

import on_node
import plan
from agent_file import parse_settings
from fabric_file import parse_fabric
from node_facts import Node, mtu_of_overlay


def gateway(given):
    fabric = parse_fabric(given['fabric'].encode())
    gateways = {int(version): address for version, address in given['outside']['gateways'].items()}
    outside = plan.Outside(given['outside']['device'], '192.0.2.1', given['outside']['mtu'], gateways)
    tables = {
        f'{table}/{version}': plan.table_routes(fabric, table, version, set(given['up']), outside)
        for table in (plan.NODES, plan.REMOTES)
        for version in (4, 6)
    }
    return {
        'tables': tables,
        'main': {version: plan.main_routes(fabric, version) for version in (4, 6)},
        'rules': {version: plan.rules(fabric, version, outside) for version in (4, 6)},
        'link': plan.LINK,
        'mtu': plan.link_of(fabric, outside).mtu,
    }


def node(given):
    settings = parse_settings(given['settings'].encode())
    found = Node('n', given['address'], '', given['mtu'])
    return {
        'rejects': {version: on_node.rejects_of(settings, version) for version in (4, 6)},
        'gateways': {version: on_node.gateways_of(settings, found, version) for version in (4, 6)},
        'mtu': mtu_of_overlay(found, settings.overlay),
    }


request = json.load(sys.stdin)
answer = {'gateways': [gateway(each) for each in request['gateways']], 'nodes': [node(each) for each in request['nodes']]}
json.dump(answer, sys.stdout)
