"""Words that change how far a statement reaches or what it rests on, in English and in simplified Chinese; all in lower case."""

from __future__ import annotations

import re

WIDE = re.compile(
    r"\b(?:all|every|everybody|everyone|everything|anybody|anyone|any|anything|always|whenever|whatever|whichever|whoever|wherever"
    r"|regardless|irrespective|entirely|whole|entire|both|each|either|no matter|whether or not|even if|even when|even without"
    r"|even for|without exception|under any|in any case|in every case|at any time|freely|immediately|automatically|forever"
    r"|throughout|alone|simply|alike|included|including|from the start)\b"
    r"|所有|任何|一律|全部|人人|各种|各类|各个|无论|不论|不管|随时|全公司|全体|全年|总是|一直|每[个位名]|一概|照样|照常|一切|全都|都[^市会江]"
    r"|即使|哪怕|不分|凡|只要|统统|永远|同样|均|直接|自行|包括|也[能可要]"
)
"""Words that take in more cases, or leave nothing to ask."""

UNIVERSAL = re.compile(
    r"\b(?:always|whenever|whatever|whichever|whoever|wherever|regardless|irrespective|no matter|whether or not|even if|even when"
    r"|even without|even for|without exception|under any|in any case|in every case|at any time|any|anyone|anybody|freely|alike"
    r"|everyone|everybody|all|every)\b"
    r"|任何|一律|人人|无论|不论|不管|随时|一概|照样|即使|哪怕|不分|凡|只要|统统|永远|全都|自行|所有|全部"
)
"""Those of them that leave out no case."""

RESTRICTION = re.compile(
    r"\b(?:only|unless|except|excluding|provided|if|until|other than|but not|subject to|where|in case|consent|approval|permission"
    r"|alone|solely|agreement|agrees?|approves?|signs?|as long as|most|mostly|some|normally|usually|in general|certain|up to"
    r"|never|not)\b"
    r"|仅|只|除|凡|如|若|经|限|方可|方能|才|但|须|不得|未|不含|不适用|不享受|原则|一般|部|抽查|同意|批准|审批|且"
)
"""Words that set a condition, an exception or a limit."""

CAUSE = re.compile(
    r"\b(?:because|since|due to|so that|in order to|reasons?|owing to|as a result|thanks to|so as to|to avoid|to prevent|for fear"
    r"|otherwise|as (?:it|they|he|she|the|there|this))\b"
    r"|因|由于|为了|以免|以便|原因|避免|防止|导致|免得|是为|之所以|怕|为的是"
)
"""Words that a reason follows."""
